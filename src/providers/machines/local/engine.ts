import { execa } from "execa";
import { SummitError } from "../../../core/errors.ts";

export type EngineName = "podman" | "docker";

export interface EngineOptions {
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Seconds. */
  readonly timeout?: number;
  /** Called for every line of output while it runs. */
  readonly onLine?: (line: string) => void;
}

export interface EngineResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line of podman or docker. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  readonly rootless: boolean;
  run(args: readonly string[], options?: EngineOptions): Promise<EngineResult>;
  /** Throws kind `remote` when the engine answers with an error. Returns stdout. */
  must(args: readonly string[], options?: EngineOptions): Promise<string>;
}

/**
 * The first engine that answers; with a name, that one or an error. Rejects with kind `check` and a hint that says
 * what to install or which right is missing.
 */
export async function findEngine(wanted: EngineName | "auto"): Promise<Engine> {
  const names: readonly EngineName[] = wanted === "auto" ? ["podman", "docker"] : [wanted];
  const refusals: string[] = [];
  for (const name of names) {
    const engine = await tryEngine(name);
    if (typeof engine !== "string") return engine;
    refusals.push(engine);
  }
  throw new SummitError(
    "check",
    `no container engine answers: ${names.join(" or ")} is needed for machines on this computer`,
    {
      details: refusals,
      hint: "sudo apt-get install podman runc    # or start the docker daemon: sudo systemctl start docker",
    },
  );
}

async function tryEngine(name: EngineName): Promise<Engine | string> {
  const found = name === "podman" && process.platform === "linux" ? await askPodman() : await askInfo(name);
  if (typeof found === "string") return `${name}: ${found}`;
  const { version, rootless } = found;
  const run = async (args: readonly string[], options: EngineOptions = {}): Promise<EngineResult> => {
    const result = await call(name, args, options);
    if (result === undefined) throw new SummitError("check", `${name} is no longer installed`);
    return result;
  };
  const must = async (args: readonly string[], options: EngineOptions = {}): Promise<string> => {
    const result = await run(args, options);
    if (result.code === 0) return result.stdout;
    throw new SummitError("remote", `${name} ${args[0] ?? ""} ended with exit status ${result.code}`, {
      details: result.stderr.trim().split("\n").slice(-5),
      hint: "summitctl doctor",
    });
  };
  return { name, version, rootless, run, must };
}

type Answer = { readonly version: string; readonly rootless: boolean } | string;

/** What `podman info` knows costs a third of a second; on Linux this is as good in a tenth of that. */
async function askPodman(): Promise<Answer> {
  const [version, answers] = await Promise.all([
    call("podman", ["version", "--format", "{{.Client.Version}}"], { timeout: 20 }),
    call("podman", ["container", "exists", "summitctl"], { timeout: 20 }),
  ]);
  if (version === undefined || answers === undefined) return "not installed";
  // 0 and 1 are its answers, everything else is a failure.
  const failed = [version, ...(answers.code <= 1 ? [] : [answers])].find(({ code }) => code !== 0);
  if (failed !== undefined) return lastLine(failed.stderr) || `exit status ${failed.code}`;
  return { version: version.stdout.trim(), rootless: process.getuid?.() !== 0 };
}

async function askInfo(name: EngineName): Promise<Answer> {
  const format =
    name === "podman" ? "{{.Version.Version}} {{.Host.Security.Rootless}}" : "{{.ServerVersion}} {{.SecurityOptions}}";
  const info = await call(name, ["info", "--format", format], { timeout: 20 });
  if (info === undefined) return "not installed";
  if (info.code !== 0) return lastLine(info.stderr) || `exit status ${info.code}`;
  const [version = "", ...rest] = info.stdout.trimEnd().split(" ");
  // Docker answers `info` with exit 0 and an empty server version when its daemon is away.
  if (name === "docker" && version === "") return "its daemon does not answer";
  return { version, rootless: name === "podman" ? rest[0] === "true" : rest.join(" ").includes("rootless") };
}

async function call(name: string, args: readonly string[], options: EngineOptions): Promise<EngineResult | undefined> {
  const child = execa(name, args, {
    input: options.input ?? "",
    reject: false,
    stripFinalNewline: false,
    all: true,
    maxBuffer: 64 * 1024 * 1024,
    // Ctrl-C reaches us, and we decide; it must not kill the engine half-way through a commit by itself.
    detached: true,
    cleanup: true,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1000 }),
  });
  if (options.onLine !== undefined) {
    const { onLine } = options;
    const readLines = async () => {
      for await (const line of child.iterable({ from: "all" })) onLine(String(line));
    };
    void readLines().catch(() => undefined);
  }
  const result = await child;
  if (result.code === "ENOENT") return undefined;
  options.signal?.throwIfAborted();
  if (result.timedOut) {
    throw new SummitError("remote", `${name} ${args[0] ?? ""} did not answer within ${options.timeout} s`, {
      hint: `${name} info`,
    });
  }
  return {
    code: result.exitCode ?? 1,
    stdout: result.stdout,
    stderr: result.stderr || (result.exitCode === undefined ? (result.shortMessage ?? "") : ""),
  };
}

/** Removes a container and its disk now: without the timeout podman waits ten seconds for what ignores TERM. */
export const removal = ({ name }: Pick<Engine, "name">, container: string): string[] => [
  "rm",
  "-f",
  "-v",
  ...(name === "podman" ? ["-t", "0"] : []),
  container,
];

export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

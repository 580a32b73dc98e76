import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { lines, podman, randomProject, removeProject } from "./podman.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Another build may be tried with SUMMITCTL_BIN. */
const BIN = process.env["SUMMITCTL_BIN"] ?? join(ROOT, "bin/summitctl");

export interface CliEvent {
  readonly schema: string;
  readonly task?: string;
  readonly state?: string;
  readonly level?: string;
  readonly message?: string;
}

export interface CliRun {
  /** 137 and the like for one that a signal ended. */
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly CliEvent[];
  /** The last line of stdout, with `--json`: the result, or the error. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly last: any;
}

export interface CliOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** May end the process later. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Sees every event as it happens, and may end the process. */
  readonly onEvent?: (event: CliEvent, child: ChildProcess) => void;
}

/** Runs the real command line in an environment of its own. Its standard input is no terminal. */
export async function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: CliOptions = {},
): Promise<CliRun> {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...env, ...options.env }, stdio: "pipe" });
  options.onStart?.(child);
  child.stdin.on("error", () => undefined).end(options.input ?? "");
  const events: CliEvent[] = [];
  const shown: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    shown.push(line);
    const event = parse(line);
    if (event?.schema !== "summitctl.event.v1") return;
    events.push(event);
    options.onEvent?.(event, child);
  });
  const [stderr, exit] = await Promise.all([
    text(child.stderr),
    new Promise<number>((resolve) =>
      child.on("close", (code, signal) => resolve(code ?? (signal === "SIGKILL" ? 137 : 1))),
    ),
  ]);
  return { exit, stdout: shown.join("\n"), stderr, events, last: parse(shown.at(-1) ?? "") };
}

function parse(line: string) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A project of the example app with machines for real, under a name of its own. */
export class LiveProject implements AsyncDisposable {
  readonly name = randomProject();
  readonly folder: string;
  readonly store: string;
  /** TMPDIR of the command line, so that what it leaves is seen. */
  readonly temp: string;
  readonly env: NodeJS.ProcessEnv;

  private constructor(folder: string) {
    this.folder = folder;
    this.store = join(folder, "store");
    this.temp = join(folder, "tmp");
    const { SSH_AUTH_SOCK: _agent, ...inherited } = process.env;
    this.env = {
      ...inherited,
      XDG_STATE_HOME: join(folder, "state"),
      TMPDIR: this.temp,
      SUMMITCTL_CONFIG: join(folder, "summit.yaml"),
      APP_KEY: randomBytes(24).toString("hex"),
    };
  }

  /** `more` are further lines of summit.yaml, `stores` what it says instead of a folder of the project's own. */
  static async open(more = "", stores?: string): Promise<LiveProject> {
    const project = new LiveProject(await mkdtemp(join(tmpdir(), "summit-live-")));
    await mkdir(project.temp);
    await writeFile(join(project.folder, "summit.yaml"), configText(project, more, stores));
    return project;
  }

  run(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    return runCli(args, this.env, options);
  }

  /** As `run` with `--json`, but throws when it does not exit with 0. Returns the result. */
  async must(args: readonly string[], options: CliOptions = {}) {
    const { exit, last, stdout, stderr } = await this.run([...args, "--json"], options);
    if (exit !== 0)
      throw new Error(`summitctl ${args.join(" ")}: exit ${exit}\n${stdout.slice(-3000)}\n${stderr.slice(-2000)}`);
    return last;
  }

  /** Output of a command on a machine. */
  async on(environment: string, unit: string, argv: readonly string[], input = ""): Promise<string> {
    const { exit, stdout, stderr } = await this.run(["ssh", "-e", environment, unit, "--", ...argv], { input });
    if (exit !== 0) throw new Error(`${environment} ${unit} ${argv.join(" ")}: exit ${exit}\n${stderr.slice(-2000)}`);
    return stdout;
  }

  /** A dump as text that is equal for equal databases. */
  async dump(environment: string, ...args: readonly string[]): Promise<string> {
    return steadyDump(await this.on(environment, "postgresql/0", ["sudo", "-u", "postgres", ...args]));
  }

  /** Containers of an environment, or of the whole project, each with its state. */
  async containers(environment?: string): Promise<string[]> {
    const filters = [`label=io.summitctl.project=${this.name}`];
    if (environment !== undefined) filters.push(`label=io.summitctl.environment=${environment}`);
    const ids = lines(await podman("ps", "-aq", ...filters.flatMap((filter) => ["--filter", filter])));
    if (ids.length === 0) return [];
    return lines(await podman("container", "inspect", "--format", "{{.Name}} {{.State.Status}}", ...ids)).sort();
  }

  /** Every machine of an environment at once, as a power cut. */
  async cut(environment: string): Promise<void> {
    await podman("kill", ...(await this.names(environment)));
  }

  async revive(environment: string): Promise<void> {
    await podman("start", ...(await this.names(environment)));
  }

  machine(environment: string, unit: string): string {
    return `summit-${this.name}-${environment}-${unit.replace("/", "-")}`;
  }

  /** The machine that has the project's address. */
  async holder(ip: string): Promise<string[]> {
    const running = (await this.containers())
      .filter((line) => line.endsWith(" running"))
      .map((line) => line.split(" ")[0] ?? "");
    const held = await Promise.all(
      running.map(async (name) => (await podman("exec", name, "ip", "-4", "-o", "addr")).includes(` ${ip}/`)),
    );
    return running.filter((_name, index) => held[index]);
  }

  /** What killed and finished commands left in their temporary folder. */
  async temporary(): Promise<string[]> {
    return await readdir(this.temp);
  }

  /** Keys of the store, with their sizes. */
  async stored(): Promise<string[]> {
    const found = await readdir(this.store, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => join(entry.parentPath, entry.name).slice(this.store.length + 1))
      .sort();
  }

  private async names(environment: string): Promise<string[]> {
    return (await this.containers(environment)).map((line) => line.split(" ")[0] ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeProject(this.name);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Less the lines that differ in any two dumps. */
const steadyDump = (dump: string): string => dump.replaceAll(/^\\(?:un)?restrict .*\n/gm, "");

const configText = (
  { name, store }: LiveProject,
  more: string,
  stores = `["file://${store}"]`,
): string => `schema: summitctl.config.v1
project: ${name}
stores: ${stores}
secrets: { app_key: { env: APP_KEY } }
services:
  postgresql: {}
  memcached: {}
  summit:
    pack: django
    options: { app: { path: ${ROOT}/examples/summit/app }, theme: { path: ${ROOT}/examples/summit/theme } }
    relations: { database: postgresql, cache: memcached }
  haproxy: { relations: { backend: summit } }
failover_to: [spare, production]
environments: { production: { provider: local }, spare: { provider: local } }
${more}`;

/** Ends the process when a task with this in its title starts, `delay` milliseconds later. */
export function endAt(title: string | RegExp, signal: NodeJS.Signals, delay = 0): NonNullable<CliOptions["onEvent"]> {
  let over = false;
  return ({ task, state }, child) => {
    if (over || state !== "started" || task?.match(title) === null || task === undefined) return;
    over = true;
    if (delay === 0) child.kill(signal);
    else setTimeout(() => child.kill(signal), delay);
  };
}

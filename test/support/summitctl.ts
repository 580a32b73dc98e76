import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { leftOf, randomProject, removeProject } from "./podman.ts";

/** The program as it is installed; another one to try the same tests on, such as a packed one. */
const BIN = process.env["SUMMITCTL_BIN"] ?? join(import.meta.dirname, "../../bin/summitctl");
const EXAMPLE = join(import.meta.dirname, "../../examples/summit");

export interface CliOptions {
  readonly input?: string | Uint8Array;
  /** Milliseconds from the start after which it is sent that signal. */
  readonly after?: { readonly ms: number; readonly signal: NodeJS.Signals };
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliResult {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Uint8Array;
}

/** A project folder with the example's services, and the real command line on it. */
export interface CliProject extends AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly store: string;
  /** Replaces parts of summit.yaml. */
  configure(changes: object): Promise<void>;
  cli(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** As `cli` with `--json`; fails when the exit code is not 0. Returns the result object. */
  json<T>(...args: string[]): Promise<T>;
  /** Containers, networks and temporary folders that are there on behalf of this project. */
  left(): Promise<string[]>;
}

export async function cliProject(): Promise<CliProject> {
  const name = randomProject();
  const folder = await mkdtemp(join(tmpdir(), "summit-e2e-"));
  // Of its own, so that what is left behind can be told from what others use.
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  await writeFile(join(folder, "app_key"), `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
  const config = {
    schema: "summitctl.config.v1",
    project: name,
    stores: [`file://${folder}/store`],
    secrets: { app_key: { file: "./app_key" } },
    services: {
      postgresql: {},
      memcached: {},
      summit: {
        pack: "django",
        options: { app: { path: join(EXAMPLE, "app") }, theme: { path: join(EXAMPLE, "theme") } },
        relations: { database: "postgresql", cache: "memcached" },
      },
      haproxy: { relations: { backend: "summit" } },
    },
    environments: { production: { provider: "local" }, spare: { provider: "local" } },
  };
  const configure = (changes: object) => writeFile(join(folder, "summit.yaml"), stringify({ ...config, ...changes }));
  await configure({});

  async function cli(args: readonly string[], { input = "", after, env = {} }: CliOptions = {}): Promise<CliResult> {
    const child = execa(process.execPath, [BIN, ...args], {
      cwd: folder,
      env: { XDG_STATE_HOME: join(folder, "state"), TMPDIR: temporary, SSH_AUTH_SOCK: "", ...env },
      input,
      reject: false,
      encoding: "buffer",
      stripFinalNewline: false,
      maxBuffer: 256 * 1024 * 1024,
      timeout: 400_000,
    });
    const timer = after && setTimeout(() => child.kill(after.signal), after.ms);
    const { exitCode, signal, stdout, stderr } = await child;
    clearTimeout(timer);
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
    return { code: exitCode, signal, stdout: text(stdout), stderr: text(stderr), bytes: stdout };
  }

  return {
    name,
    folder,
    store: join(folder, "store"),
    configure,
    cli,
    async json<T>(...args: string[]) {
      const { code, stdout, stderr } = await cli([...args, "--json"]);
      if (code !== 0) throw new Error(`summitctl ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as T;
    },
    left: async () => [...(await leftOf(name)), ...(await readdir(temporary))].sort(),
    async [Symbol.asyncDispose]() {
      await removeProject(name);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

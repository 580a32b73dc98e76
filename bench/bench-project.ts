import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type MeasuredRun, measuredRun } from "./measured-run.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The example stack as a project of its own, with everything that is left of it removed at the end. */
export class BenchProject implements AsyncDisposable {
  readonly name = `bench-${randomBytes(3).toString("hex")}`;
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string) {
    this.folder = folder;
    this.#env = { ...process.env, XDG_STATE_HOME: join(folder, "state") };
  }

  static async make(): Promise<BenchProject> {
    const project = new BenchProject(await mkdtemp(join(tmpdir(), "summitctl-bench-")));
    await writeFile(join(project.folder, "app_key"), randomBytes(32).toString("hex"), { mode: 0o600 });
    await writeFile(
      join(project.folder, "summit.yaml"),
      `schema: summitctl.config.v1
project: ${project.name}
stores: ["file://${project.folder}/store"]
secrets: { app_key: { file: ./app_key } }
services:
  postgresql: {}
  memcached: {}
  summit:
    pack: django
    options: { app: { path: ${ROOT}examples/summit/app }, theme: { path: ${ROOT}examples/summit/theme } }
    relations: { database: postgresql, cache: memcached }
  haproxy: { relations: { backend: summit } }
failover_to: [spare, production]
environments: { production: { provider: local }, spare: { provider: local } }
`,
    );
    return project;
  }

  /** Bootstraps production and fills it with about `size` of seeded schedule. */
  async fill(size: string, say: (line: string) => void): Promise<void> {
    say("bootstrap");
    await this.summitctl("bootstrap");
    say(`load ${size}`);
    const load = ["sudo", "manage-summit", "generate_schedule", "--size", size, "--seed", "2012"];
    await this.summitctl("ssh", "summit/0", "--", ...load);
  }

  /** Puts one more line into summit.yaml, in place of the last one that was put there. */
  async configure(line: string): Promise<void> {
    const file = join(this.folder, "summit.yaml");
    const text = (await readFile(file, "utf8")).replace(/\n# bench\n[\s\S]*$/, "\n");
    await writeFile(file, `${text}# bench\n${line}\n`);
  }

  summitctl(...args: string[]): Promise<MeasuredRun> {
    return measuredRun(
      process.execPath,
      [join(ROOT, "bin/summitctl"), "--config", join(this.folder, "summit.yaml"), ...args],
      this.#env,
    );
  }

  /** What an operator of 2012 would type, with the same key and a pinned host key, between two parts of a pipe. */
  async sshLine(unit: string, remote: string, after: string, before = ""): Promise<MeasuredRun> {
    const status = JSON.parse((await this.summitctl("status", "--json")).stdout) as {
      environments: {
        live: boolean;
        environment: string;
        units: { unit: string; machine: string; address: string }[];
      }[];
    };
    const live = status.environments.find(({ live: isLive }) => isLive);
    const found = live?.units.find((candidate) => candidate.unit === unit);
    if (live === undefined || found === undefined) throw new Error(`${unit} does not run`);
    const { stdout } = await run("podman", [
      "exec",
      `summit-${this.name}-${live.environment}-${found.machine}`,
      "cat",
      "/etc/ssh/ssh_host_ed25519_key.pub",
    ]);
    const knownHosts = join(this.folder, "known_hosts");
    await writeFile(knownHosts, `${found.address} ${stdout}`);
    const key = join(this.folder, "state/summitctl/id_ed25519");
    const ssh = `ssh -i '${key}' -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile='${knownHosts}' summit@${found.address} "${remote}"`;
    return await measuredRun("sh", ["-c", `${before} ${ssh} ${after}`]);
  }

  async cutOff(environment: string): Promise<void> {
    const { stdout } = await run("podman", [
      "ps",
      "-q",
      "--filter",
      `label=io.summitctl.project=${this.name}`,
      "--filter",
      `label=io.summitctl.environment=${environment}`,
    ]);
    await run("podman", ["kill", ...stdout.split("\n").filter(Boolean)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const environment of ["production", "spare"])
      await this.summitctl("destroy", "-e", environment, "--confirm", environment).catch((error: unknown) =>
        process.stderr.write(`${String(error)}\n`),
      );
    await rm(this.folder, { recursive: true, force: true });
  }
}

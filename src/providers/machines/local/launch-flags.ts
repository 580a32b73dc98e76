import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { sha256 } from "../../../core/digest.ts";
import { SummitError } from "../../../core/errors.ts";
import { type Engine, lastLine } from "./engine.ts";

/** Flags for `create` and `run` of a container that boots systemd. `global` goes before the verb. */
export interface LaunchFlags {
  readonly global: readonly string[];
  readonly container: readonly string[];
}

// Without NET_ADMIN and NET_RAW no address can be moved; without SYS_ADMIN systemd cannot sandbox units (haproxy: 226/NAMESPACE).
const CAPABILITIES = ["--cap-add", "NET_ADMIN,NET_RAW,SYS_ADMIN"];
const LIMITS = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096"];

const PODMAN: readonly LaunchFlags[] = [
  { global: [], container: ["--systemd=always", ...CAPABILITIES] },
  { global: [], container: ["--systemd=always", ...CAPABILITIES, ...LIMITS] },
  // crun refuses hybrid control groups, runc does not; both may be refused the engine's default limits.
  { global: ["--runtime", "runc"], container: ["--systemd=always", ...CAPABILITIES, ...LIMITS] },
];

const DOCKER_CONTAINER = [
  "--cap-add",
  "NET_ADMIN",
  "--cap-add",
  "NET_RAW",
  "--cap-add",
  "SYS_ADMIN",
  "--security-opt",
  "seccomp=unconfined",
  "--tmpfs",
  "/run",
  "--tmpfs",
  "/run/lock",
  "--tmpfs",
  "/tmp",
];
const DOCKER: readonly LaunchFlags[] = [
  { global: [], container: [...DOCKER_CONTAINER, "--cgroupns=private"] },
  { global: [], container: [...DOCKER_CONTAINER, "--cgroupns=host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw"] },
];

/**
 * The first set of flags with which the engine starts a container here, found by trying and remembered per engine
 * version, since the reasons (control groups, limits, runtime) do not change while the computer runs.
 */
export async function launchFlags(engine: Engine, image: string): Promise<LaunchFlags> {
  const candidates = engine.name === "podman" ? PODMAN : DOCKER;
  const file = join(
    cacheFolder(),
    `launch-${sha256(`${engine.name} ${engine.version} ${engine.rootless} ${await bootId()}`).slice(0, 12)}`,
  );
  const known = candidates[Number(await readFile(file, "utf8").catch(() => "NaN"))];
  if (known !== undefined) return known;
  const refusals: string[] = [];
  for (const [index, flags] of candidates.entries()) {
    const trial = await engine.run([...flags.global, "run", "--rm", ...flags.container, image, "/bin/true"], {
      timeout: 60,
    });
    if (trial.code === 0) {
      await mkdir(cacheFolder(), { recursive: true, mode: 0o700 });
      await writeFileAtomic(file, String(index));
      return flags;
    }
    refusals.push(lastLine(trial.stderr));
  }
  throw new SummitError("check", `${engine.name} ${engine.version} starts no container with systemd here`, {
    details: refusals,
    hint:
      engine.name === "podman"
        ? "sudo apt-get install runc    # crun fails where control groups are hybrid"
        : "docker info",
  });
}

/** `$XDG_CACHE_HOME/summitctl`: things that can be worked out again. */
export const cacheFolder = (): string => join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "summitctl");

const bootId = (): Promise<string> => readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");

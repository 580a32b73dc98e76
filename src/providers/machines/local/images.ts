import { readFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { quote } from "../../../core/argv.ts";
import { sha256 } from "../../../core/digest.ts";
import { SummitError } from "../../../core/errors.ts";
import { takePidLock } from "../../../core/pid-lock.ts";
import type { GoldenImage, GoldenRecipe } from "../../../core/ports/machines.ts";
import type { Task } from "../../../core/ports/output.ts";
import { type Engine, lastLine, removal } from "./engine.ts";
import { cacheFolder, launchFlags } from "./launch-flags.ts";
import { isLeftover, temporaryFolder } from "./leftovers.ts";

export interface ImageSettings {
  /** What the base is made from: `debian:12`, `debian:13`, `ubuntu:24.04`. */
  readonly from: string;
  /** Package mirror for mmdebstrap, where the default is not reached. */
  readonly mirror: string | undefined;
  readonly signal: AbortSignal;
}

/** Suites that mmdebstrap can make where no registry is reached. */
const SUITES: Readonly<Record<string, string>> = {
  "debian:12": "bookworm",
  "debian:13": "trixie",
  "ubuntu:24.04": "noble",
};
const FOLDER = fileURLToPath(new URL("../../../../images/local/", import.meta.url));

export interface BaseImage {
  readonly image: string;
  readonly digest: string;
  readonly architecture: string;
}

async function baseRecipe(): Promise<{ packages: string[]; prepare: string }> {
  const packages = (await readFile(join(FOLDER, "packages"), "utf8")).trim().split("\n");
  return { packages, prepare: await readFile(join(FOLDER, "prepare.sh"), "utf8") };
}

/** What the base image that is made from `from` is called, whether it exists or not. */
export async function baseTag(from: string): Promise<string> {
  const { packages, prepare } = await baseRecipe();
  return `localhost/summitctl-base:${sha256([from, prepare, ...packages].join("\n")).slice(0, 12)}`;
}

/** The machine image without packs. Tagged last, so a cut build leaves no image, and the next build cleans up. */
export async function baseImage(engine: Engine, settings: ImageSettings, task: Task): Promise<BaseImage> {
  const { packages, prepare } = await baseRecipe();
  const tag = await baseTag(settings.from);
  const existing = await imageId(engine, tag);
  if (existing !== undefined) return { image: tag, digest: existing, architecture: arch() };

  await using _lock = await buildLock("the build of a machine image", settings.signal);
  const built = (await imageId(engine, tag)) ?? (await build());
  return { image: tag, digest: built, architecture: arch() };

  async function build(): Promise<string> {
    await removeLeftovers(engine);
    if (await pull(engine, settings, task))
      await prepareFromRegistry(engine, tag, { settings, packages, prepare, task });
    else await prepareFromScratch(engine, tag, { settings, packages, task });
    const id = await imageId(engine, tag);
    if (id === undefined) throw new SummitError("remote", `${engine.name} built ${tag} but does not list it`);
    return id;
  }
}

export async function findGolden(engine: Engine, key: string): Promise<GoldenImage | undefined> {
  const found = await engine.run(["image", "inspect", "--format", "{{.Created}}", goldenTag(key)]);
  if (found.code !== 0) return undefined;
  // podman: 2026-11-22 18:04:10.123 +0000 UTC; docker: RFC 3339.
  const createdAt = new Date(found.stdout.trim().replace(/^(\S+) (\d\d:\d\d:\d\d)(\.\d+)? \+0000 UTC$/, "$1T$2Z"));
  return { image: goldenTag(key), createdAt };
}

const goldenTag = (key: string): string => `localhost/summitctl-golden:${key.slice(0, 20)}`;

/** The base with the recipe's folders and the effect of its script. */
export async function buildGolden(
  engine: Engine,
  base: BaseImage,
  recipe: GoldenRecipe,
  { task, signal }: { task: Task; signal: AbortSignal },
): Promise<GoldenImage> {
  await using _lock = await buildLock("the build of a golden image", signal);
  await removeLeftovers(engine);
  await using container = await buildContainer(engine, base.image);
  for (const [target, source] of Object.entries(recipe.folders)) {
    await container.sh(`mkdir -p ${quote(target)}`, { task, signal });
    await engine.must(["cp", `${source}/.`, `${container.name}:${target}`], { signal });
  }
  const output = await container.sh(recipe.script, { task, signal });
  // What two machines must not share, once more: packages may have made keys or ids.
  await container.sh(
    "rm -rf /etc/ssh/ssh_host_* /var/lib/apt/lists/* /var/log/apt /tmp/* /run/summitctl; apt-get clean; : >/etc/machine-id",
    { task, signal },
  );
  task.progress({ text: "saving the image" });
  const [key, ...more] = recipe.keys(output);
  await container.commit(goldenTag(key), signal);
  for (const other of more) await engine.must(["tag", goldenTag(key), goldenTag(other)], { signal });
  const built = await findGolden(engine, key);
  if (built === undefined)
    throw new SummitError("remote", `${engine.name} built ${goldenTag(key)} but does not list it`);
  return built;
}

const buildLock = (what: string, signal: AbortSignal): Promise<AsyncDisposable> =>
  takePidLock(join(cacheFolder(), "image-build.lock"), { what, wait: 900, signal });

/** Undefined when there is no such image. */
export async function imageId(engine: Engine, tag: string): Promise<string | undefined> {
  const found = await engine.run(["image", "inspect", "--format", "{{.Id}}", tag]);
  return found.code === 0 ? found.stdout.trim().replace(/^sha256:/, "") : undefined;
}

async function pull(engine: Engine, settings: ImageSettings, task: Task): Promise<boolean> {
  const image = `docker.io/library/${settings.from}`;
  if ((await imageId(engine, image)) !== undefined) return true;
  task.progress({ text: `pulling ${settings.from}` });
  const pulled = await engine
    .run(["pull", "--quiet", image], { signal: settings.signal, timeout: 300 })
    .catch((error: unknown) => {
      settings.signal.throwIfAborted();
      return { code: 1, stdout: "", stderr: String(error) };
    });
  return pulled.code === 0;
}

interface Preparation {
  readonly settings: ImageSettings;
  readonly packages: readonly string[];
  readonly task: Task;
}

async function prepareFromRegistry(
  engine: Engine,
  tag: string,
  { settings, packages, prepare, task }: Preparation & { prepare: string },
): Promise<void> {
  await using container = await buildContainer(engine, `docker.io/library/${settings.from}`);
  const { signal } = settings;
  task.progress({ text: "installing the base packages" });
  const install = `export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
apt-get -q update && apt-get -q install -y --no-install-recommends ${packages.join(" ")}
rm -f /usr/sbin/policy-rc.d`;
  await container.sh(`set -e\n${install}\n${prepare}`, { task, signal });
  await container.commit(tag, signal);
}

async function prepareFromScratch(
  engine: Engine,
  tag: string,
  { settings, packages, task }: Preparation,
): Promise<void> {
  const suite = SUITES[settings.from];
  const hint = "sudo apt-get install mmdebstrap    # or log in to a registry that has the image";
  if (suite === undefined) {
    throw new SummitError(
      "check",
      `the image ${settings.from} cannot be pulled, and only ${Object.keys(SUITES).join(", ")} can be built without a registry`,
      { hint },
    );
  }
  if (engine.rootless)
    throw new SummitError(
      "check",
      `the image ${settings.from} cannot be pulled, and building it without a registry needs root`,
      { hint: "sudo -E summitctl doctor" },
    );
  await using folder = await temporaryFolder("build");
  task.progress({ text: `no registry in reach: installing ${suite} from packages` });
  const tar = join(folder.path, "root.tar");
  const child = execa(
    "mmdebstrap",
    [
      "--variant=minbase",
      `--include=${packages.join(",")}`,
      '--customize-hook=chroot "$1" sh -s < "$SUMMIT_PREPARE"',
      suite,
      tar,
      ...(settings.mirror === undefined ? [] : [settings.mirror]),
    ],
    {
      reject: false,
      all: true,
      cancelSignal: settings.signal,
      cleanup: true,
      detached: true,
      env: { TMPDIR: folder.path, SUMMIT_PREPARE: join(FOLDER, "prepare.sh") },
    },
  );
  const lines = (async () => {
    for await (const line of child.iterable({ from: "all" })) task.progress({ text: String(line).slice(0, 100) });
  })().catch(() => undefined);
  const result = await child;
  await lines;
  settings.signal.throwIfAborted();
  if (result.code === "ENOENT")
    throw new SummitError("check", `the image ${settings.from} cannot be pulled and mmdebstrap is not installed`, {
      hint,
    });
  if (result.exitCode !== 0) {
    throw new SummitError("remote", `mmdebstrap ended with exit status ${result.exitCode ?? result.signal}`, {
      details: (result.all ?? "").trim().split("\n").slice(-5),
      hint: "summitctl doctor    # is the package mirror reached, is the disk full?",
    });
  }
  task.progress({ text: "importing the image" });
  await engine.must(["import", tar, tag], { signal: settings.signal });
}

interface BuildContainer extends AsyncDisposable {
  readonly name: string;
  /** Resolves with stdout. */
  sh(script: string, options: { task: Task; signal: AbortSignal }): Promise<string>;
  commit(tag: string, signal: AbortSignal): Promise<string>;
}

async function buildContainer(engine: Engine, image: string): Promise<BuildContainer> {
  const name = `summitctl-build-${process.pid}-${Date.now().toString(36)}`;
  const flags = await launchFlags(engine, image);
  // Packages are installed without an init: nothing can start, and what runs ends with the container.
  const plain = flags.container.filter((flag) => !flag.startsWith("--systemd"));
  await engine.must([...flags.global, "run", "-d", "--name", name, ...plain, image, "sleep", "3600"]);
  return {
    name,
    async sh(script, { task, signal }) {
      const result = await engine.run(["exec", "-i", name, "sh", "-s"], {
        input: script,
        signal,
        onLine: (line) => task.progress({ text: line.slice(0, 100) }),
      });
      if (result.code === 0) return result.stdout;
      throw new SummitError(
        "remote",
        `building a machine image failed: ${lastLine(result.stderr) || `exit status ${result.code}`}`,
        {
          details: `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-8),
          hint: "summitctl doctor    # then run the same command again, it starts the build over",
        },
      );
    },
    async commit(tag, signal) {
      await engine.must(["stop", "-t", "0", name], { signal });
      await engine.must(
        [
          "commit",
          ...(engine.name === "podman" ? ["-q", "-f", "docker"] : []),
          "--change",
          'CMD ["/sbin/init"]',
          name,
          tag,
        ],
        { signal },
      );
      return tag;
    },
    async [Symbol.asyncDispose]() {
      await engine.run(removal(engine, name));
    },
  };
}

/** Containers of builds whose process is gone. Called under the build lock. */
export async function removeLeftovers(engine: Engine): Promise<void> {
  // By name, not by a label: labels are committed into the image, and every machine made from it would have them.
  const listed = await engine.run(["ps", "-a", "--filter", "name=summitctl-build-", "--format", "{{.Names}}"]);
  for (const name of listed.stdout.split("\n")) {
    if (await isLeftover(name)) await engine.run(removal(engine, name));
  }
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { effectiveEnvironment } from "../config/effective-environment.ts";
import { LOCK_FILE, readLock } from "../config/lock-file.ts";
import type { Lock } from "../config/lock-types.ts";
import type { Config } from "../config/types.ts";
import { sha256 } from "../core/digest.ts";
import type { Packs } from "../stack/check-stack.ts";
import { loadStack } from "../stack/load-stack.ts";
import { buildStack, type Stack } from "../stack/stack.ts";

/** A project as its files say it is. */
export interface Project {
  readonly config: Config;
  readonly packs: Packs;
  /** Undefined before the first bootstrap. */
  readonly lock: Lock | undefined;
  readonly lockFile: string;
  /** Folder of the packs that summitctl brings; it also holds their shell library. */
  readonly library: { readonly folder: string; readonly digest: string };
}

/** Reads packs and pins of a project. Throws kind `config` with every problem found. */
export async function loadProject(config: Config, builtinPacks: string): Promise<Project> {
  const lockFile = join(config.folder, LOCK_FILE);
  return {
    config,
    packs: await loadStack(config, [join(config.folder, "packs"), builtinPacks]),
    lock: await readLock(lockFile),
    lockFile,
    library: { folder: builtinPacks, digest: sha256(await readFile(join(builtinPacks, "lib.sh"))) },
  };
}

/** What one environment of the project runs. Throws kind `usage` for an unknown name. */
export async function stackOf(project: Project, environment: string): Promise<Stack> {
  return await buildStack(effectiveEnvironment(project.config, environment), project.packs);
}

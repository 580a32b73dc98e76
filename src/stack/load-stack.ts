import { type Finding, locate, problemsError } from "../config/problems.ts";
import type { Config } from "../config/types.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import { checkStack, type Packs } from "./check-stack.ts";
import { findPack } from "./find-pack.ts";
import type { Pack } from "./pack-types.ts";
import { readPack } from "./read-pack.ts";

/**
 * The packs of every service of a project, by name; `folders` are searched in order. Throws kind `config` with all
 * problems of the packs and of how the project uses them.
 */
export async function loadStack(config: Config, folders: readonly string[]): Promise<Packs> {
  const packs = new Map<string, Pack>();
  const findings: Finding[] = [];
  const broken: SummitError[] = [];
  for (const name of new Set(Object.values(config.services).map(({ pack }) => pack))) {
    try {
      packs.set(name, await readPack(await findPack(name, folders)));
    } catch (error) {
      if (!isSummitError(error) || error.kind !== "config") throw error;
      const service = Object.values(config.services).find(({ pack }) => pack === name)?.name ?? name;
      findings.push({ path: ["services", service, "pack"], message: error.message, hint: error.hint });
      broken.push(error);
    }
  }
  const shown = config.file.split("/").at(-1) ?? config.file;
  const problems = [...locate(findings, shown, config.lineOf), ...checkStack(config, packs)].sort(
    (a, b) => a.line - b.line,
  );
  if (problems.length === 0) return packs;
  const error = problemsError(config.file, problems);
  throw new SummitError("config", error.message, {
    hint: error.hint ?? "summitctl doctor",
    details: [...error.details, ...broken.flatMap(({ details }) => details)],
  });
}

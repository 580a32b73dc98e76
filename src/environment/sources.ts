import type { Deps } from "../core/deps.ts";
import type { Tree, TreeSource } from "../core/ports/tree.ts";
import { isSource, type Stack } from "../stack/stack.ts";
import type { Project } from "./project.ts";

/** `<service>.<option>` to the files of that source, at the pinned revision where there is one. */
export type Sources = ReadonlyMap<string, Tree>;

export async function readSources(project: Project, stack: Stack, deps: Pick<Deps, "trees">): Promise<Sources> {
  const sources = new Map<string, Tree>();
  const reader = await deps.trees();
  for (const service of stack.services) {
    for (const [option, value] of Object.entries(service.resolved)) {
      if (isSource(value))
        sources.set(
          `${service.name}.${option}`,
          await reader.read(pinnedSource(value, project.lock?.sources[service.name]?.[option])),
        );
    }
  }
  return sources;
}

/** A branch moves, its pin does not. A folder is what it is; that it still equals its pin is checked by the caller. */
export const pinnedSource = (source: TreeSource, pin: string | undefined): TreeSource =>
  "git" in source && pin !== undefined ? { git: source.git, revision: pin } : source;

export const revisionsOf = (sources: Sources): Record<string, string> =>
  Object.fromEntries([...sources].map(([key, { revision }]) => [key, revision]));

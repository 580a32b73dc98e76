import { lockProblems } from "../config/lock-problems.ts";
import type { LockProblem } from "../config/lock-types.ts";
import type { Deps } from "../core/deps.ts";
import type { Check } from "../core/ports/machines.ts";
import { isSource, type Stack } from "../stack/stack.ts";
import { type Examination, examine } from "./examine.ts";
import { type Project, stackOf } from "./project.ts";
import { pinnedSource } from "./sources.ts";

export interface PackCheckDeps extends Pick<Deps, "trees" | "signal"> {
  project(): Promise<Project>;
}

/** Packs as they are found, sources as they can be had, and whether both are what summit.lock pins. */
export async function packChecks(deps: PackCheckDeps): Promise<readonly Check[]> {
  const project = await deps.project();
  const stacks = await Promise.all(Object.keys(project.config.environments).map((name) => stackOf(project, name)));
  const names = [...project.packs.values()].map(({ name, folder }) =>
    folder.startsWith(project.config.folder) ? `${name} (the project's own)` : name,
  );
  return [
    { name: "packs", ok: true, message: names.join(", ") },
    ...(await examine(sourceExaminations(project, stacks, deps), deps.signal)),
    pinCheck(project, stacks),
  ];
}

/** One per source, however many environments share it. */
function sourceExaminations(project: Project, stacks: readonly Stack[], deps: PackCheckDeps): readonly Examination[] {
  const looks = new Map<string, Examination>();
  for (const { service, option, value } of stacks.flatMap(sourcesOf)) {
    const pin = project.lock?.sources[service]?.[option];
    const name = `source ${service}.${option}`;
    const run = async (): Promise<readonly Check[]> => {
      const { revision } = await (await deps.trees()).read(pinnedSource(value, pin));
      const problems =
        project.lock === undefined
          ? []
          : lockProblems(project.lock, { sources: { [service]: { [option]: revision } } });
      return [{ name, ...pinned(problems, `${"path" in value ? value.path : value.git}, ${revision.slice(0, 12)}`) }];
    };
    looks.set(JSON.stringify([service, option, value]), { name, run });
  }
  return [...looks.values()];
}

const sourcesOf = ({ services }: Stack) =>
  services.flatMap(({ name: service, resolved }) =>
    Object.entries(resolved).flatMap(([option, value]) => (isSource(value) ? [{ service, option, value }] : [])),
  );

function pinCheck({ lock, lockFile }: Project, stacks: readonly Stack[]): Check {
  const name = "summit.lock";
  if (lock === undefined) return { name, ok: true, message: "none yet: the first bootstrap writes it" };
  const packs = Object.fromEntries(
    stacks.flatMap(({ services }) => services.map(({ pack, digest }) => [pack, digest])),
  );
  const packages = Object.values(lock.packages).reduce((sum, pins) => sum + Object.keys(pins).length, 0);
  return {
    name,
    ...pinned(lockProblems(lock, { packs }), `${lockFile}, ${packages} packages pinned`),
  };
}

const pinned = (problems: readonly LockProblem[], right: string): Omit<Check, "name"> =>
  problems.length === 0
    ? { ok: true, message: right }
    : { ok: false, message: problems.map(({ message }) => message).join("; "), hint: ACCEPT };

/** As bootstrap says it, which refuses to run then. */
const ACCEPT = "go back to what is pinned, or accept what is there now: rm summit.lock && summitctl bootstrap";

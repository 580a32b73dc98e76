import { writeLock } from "../config/lock-file.ts";
import { lockProblems } from "../config/lock-problems.ts";
import type { Lock } from "../config/lock-types.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { installedPins } from "../stack/pins.ts";
import type { Fleet } from "./fleet.ts";
import type { Project } from "./project.ts";

/** Throws kind `config` when the project's files are not what summit.lock says they are. Nothing was changed then. */
export function checkPins(
  project: Project,
  facts: { packs: Readonly<Record<string, string>>; revisions: Readonly<Record<string, string>> },
): void {
  if (project.lock === undefined) return;
  const problems = lockProblems(project.lock, { packs: facts.packs, sources: tree(facts.revisions) });
  if (problems.length === 0) return;
  throw new SummitError(
    "config",
    `summit.lock pins ${problems.length === 1 ? "something" : `${problems.length} things`} that changed since it was written`,
    {
      details: problems.map(({ message }) => message),
      hint: "go back to what is pinned, or accept what is there now: rm summit.lock && summitctl bootstrap",
    },
  );
}

/** Writes summit.lock when there is none: what was just installed is what every later environment gets. */
export async function writePins(
  project: Project,
  fleet: Fleet,
  deps: Pick<Deps, "version" | "signal" | "out">,
): Promise<void> {
  if (project.lock !== undefined) return;
  const packages: Record<string, Record<string, string>> = {};
  for (const service of fleet.stack.services) {
    const shell = fleet.units.find(({ unit }) => unit.service === service && unit.leader)?.shell;
    if (shell !== undefined) packages[service.name] = await installedPins(shell, service.name, deps.signal);
  }
  const lock: Lock = {
    summitctl: { version: deps.version },
    images: {},
    packages,
    packs: Object.fromEntries(fleet.stack.services.map(({ pack, digest }) => [pack, digest])),
    sources: tree(fleet.facts.revisions),
    postgresqlMajor: majorOf(packages),
  };
  await writeLock(project.lockFile, lock);
  deps.out.note(`wrote ${project.lockFile}: keep it in git`);
}

/** `{ "summit.app": "1f" }` to `{ summit: { app: "1f" } }` */
function tree(revisions: Readonly<Record<string, string>>): Record<string, Record<string, string>> {
  const services: Record<string, Record<string, string>> = {};
  for (const [key, revision] of Object.entries(revisions)) {
    const [service = "", option = ""] = key.split(".");
    services[service] = { ...services[service], [option]: revision };
  }
  return services;
}

/** Debian's `postgresql` has the version `15+248+deb12u1`; a chosen major has a package of its own. */
function majorOf(packages: Readonly<Record<string, Readonly<Record<string, string>>>>): number | undefined {
  const found = Object.values(packages)
    .flatMap((pins) => Object.entries(pins))
    .find(([name]) => /^postgresql(-\d+)?$/.test(name));
  const major = Number.parseInt(found?.[1] ?? "", 10);
  return Number.isInteger(major) ? major : undefined;
}

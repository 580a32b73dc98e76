import type { Shell } from "../core/ports/shell.ts";
import { databasesOf } from "../stack/stack.ts";
import { listGenerations } from "./generations.ts";
import { type Project, stackOf } from "./project.ts";
import { lookAt, machineOf, type ReachDeps, reach } from "./reach.ts";

/** The unit that has an environment's databases, reached. */
export interface DatabaseHost extends AsyncDisposable {
  readonly project: string;
  readonly environment: string;
  /** The newest one that was committed to this environment; 0: it was never live. */
  readonly generation: number;
  /** `postgresql/0` */
  readonly unit: string;
  /** As summit.yaml lists them under `backup`, else those that services ask for. */
  readonly databases: readonly string[];
  readonly shell: Shell;
}

/** Throws kind `check` when the environment has no such machine and kind `remote` when it cannot be reached. */
export async function openDatabaseHost(project: Project, environment: string, deps: ReachDeps): Promise<DatabaseHost> {
  const { service, databases } = databasesOf(await stackOf(project, environment));
  const unit = `${service.name}/0`;
  const standing = await lookAt(project, environment, deps);
  const [store] = await deps.stores();
  const own = (await listGenerations(store, project.config.project)).findLast(
    (generation) => generation.environment === environment,
  );
  const shell = await reach(standing, machineOf(standing, unit), 5, deps);
  return {
    project: project.config.project,
    environment,
    generation: own?.number ?? 0,
    unit,
    databases: [...new Set(project.config.backup.databases ?? databases)],
    shell,
    [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
  };
}

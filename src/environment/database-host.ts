import type { DatabaseServer } from "../core/ports/database-server.ts";
import { databasesOf } from "../stack/stack.ts";
import { listGenerations } from "./generations.ts";
import { type Project, stackOf } from "./project.ts";
import { lookAt, machineOf, type ReachDeps, reach } from "./reach.ts";

/** The unit that has an environment's databases, reached. */
export interface DatabaseHost extends DatabaseServer, AsyncDisposable {}

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

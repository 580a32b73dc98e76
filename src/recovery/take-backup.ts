import type { BackupResult } from "../backup/backup-view.ts";
import { runBackup } from "../backup/run-backup.ts";
import type { Deps } from "../core/deps.ts";
import { openDatabaseHost } from "../environment/database-host.ts";
import type { Project } from "../environment/project.ts";

export type TakeBackupDeps = Pick<Deps, "out" | "now" | "signal" | "version" | "machines" | "stores" | "connector">;

/** A backup of an environment's databases into the project's first store. */
export async function takeBackup(project: Project, environment: string, deps: TakeBackupDeps): Promise<BackupResult> {
  const began = deps.now();
  const [store] = await deps.stores();
  await using host = await openDatabaseHost(project, environment, deps);
  const manifest = await runBackup(host, store, deps);
  return { schema: "summitctl.backup-taken.v1", manifest, store: store.url, seconds: (deps.now().getTime() - began.getTime()) / 1000 };
}

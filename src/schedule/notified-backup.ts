import { type BackupResult, bytesText } from "../backup/backup-view.ts";
import { storedBytes } from "../backup/manifest.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { durationText } from "../core/time.ts";
import { chooseEnvironment } from "../environment/choose-environment.ts";
import type { Project } from "../environment/project.ts";
import { runNotified } from "../monitor/notified.ts";
import { type TakeBackupDeps, takeBackup } from "../recovery/take-backup.ts";

export interface BackupRequest {
  /** As named on the command line; undefined: the live one. */
  readonly environment: string | undefined;
  /** Tell those whom summit.yaml names under `notify`. */
  readonly notify: boolean;
  /** Seconds to wait for another backup to end; default: 0. */
  readonly lockWait?: number;
}

export type BackupRunDeps = TakeBackupDeps &
  Pick<Deps, "post" | "secret"> & { config(): Promise<Config>; project(): Promise<Project> };

/** What the timer runs. Whatever fails from the packs on is told; only a summit.yaml that cannot be read is not. */
export async function takeScheduledBackup(
  { environment: named, notify, lockWait }: BackupRequest,
  deps: BackupRunDeps,
): Promise<BackupResult> {
  let environment = named ?? "";
  const run = async (out: Deps["out"]): Promise<BackupResult> => {
    const project = await deps.project();
    environment = await chooseEnvironment(project, named, deps);
    return await takeBackup(project, environment, { ...deps, out }, { lockWait });
  };
  if (!notify) return await run(deps.out);
  const config = await deps.config();
  const line = ({ manifest, seconds }: BackupResult): string =>
    `backup ${manifest.id}: ${bytesText(storedBytes(manifest))} in ${durationText(seconds)}`;
  return await runNotified({ job: "backup", config, environment: () => environment, run, line }, deps);
}

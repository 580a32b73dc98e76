import { hostname } from "node:os";
import type { Config } from "../config/types.ts";
import { SummitError } from "../core/errors.ts";
import { chooseEnvironment } from "../environment/choose-environment.ts";
import { lastBackup } from "./last-backup.ts";
import { type BackupRunDeps, takeScheduledBackup } from "./notified-backup.ts";
import { runSchedule, type ScheduleDeps, type ScheduleRunResult } from "./run-schedule.ts";

export type BackupScheduleDeps = BackupRunDeps &
  Pick<ScheduleDeps, "ticker"> & {
    /** The same for that summit.yaml, read anew, with another signal. */
    at(configFile: string, signal: AbortSignal): BackupRunDeps & { config(): Promise<Config> };
  };

/** `schedule run`: takes backups as summit.yaml says. Each reads it anew, so that a failover in between is seen. */
export async function runBackupSchedule(
  named: string | undefined,
  deps: BackupScheduleDeps,
): Promise<ScheduleRunResult> {
  const { schedule, project, file } = await deps.config();
  const { backup, timezone, jitter, catchUp } = schedule;
  if (backup === undefined) {
    throw new SummitError("config", "summit.yaml schedules no backups", { hint: `schedule: { backup: "15 * * * *" }` });
  }
  // Ctrl-C ends the schedule, not the backup that runs.
  const fresh = () => deps.at(file, new AbortController().signal);
  return await runSchedule(
    { job: "backup", table: { times: backup, zone: timezone }, jitter, catchUp, seed: `${hostname()} ${project}` },
    {
      out: deps.out,
      now: deps.now,
      signal: deps.signal,
      ticker: (onTick) => deps.ticker(onTick),
      uptime: () => performance.now() / 1000,
      lastRun: async () => {
        const own = fresh();
        const read = await own.project();
        return await lastBackup({ project, environment: await chooseEnvironment(read, named, own) }, own);
      },
      runJob: async () => {
        const { manifest, seconds } = await takeScheduledBackup({ environment: named, notify: true }, fresh());
        return `${manifest.id} of "${manifest.environment}" in ${Math.round(seconds)} s`;
      },
    },
  );
}

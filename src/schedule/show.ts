import type { Config } from "../config/types.ts";
import { nextRuns } from "../core/cron/run-times.ts";
import { zoneOffset } from "../core/cron/zone.ts";
import type { Deps } from "../core/deps.ts";
import { messageOf, SummitError } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import { ageText } from "../core/time.ts";
import { chooseEnvironment } from "../environment/choose-environment.ts";
import type { Project } from "../environment/project.ts";
import { lastBackup } from "./last-backup.ts";
import { timerName } from "./timer-job.ts";
import { installedTimers, type TimerKind, type TimerPlaces } from "./timer-places.ts";

export interface ScheduleResult {
  readonly schema: "summitctl.schedule.v1";
  readonly now: string;
  readonly timezone: string;
  readonly jobs: readonly ScheduledJob[];
}

export interface ScheduledJob {
  readonly job: string;
  readonly cron: string;
  readonly jitter: number;
  readonly catchUp: boolean;
  readonly next: readonly { readonly utc: string; readonly local: string }[];
  readonly last: { readonly id: string; readonly at: string } | null;
  /** Why the last one could not be found out; null: it could, or there is none. */
  readonly problem: string | null;
  readonly installed: readonly TimerKind[];
}

export type ShowDeps = Pick<Deps, "now" | "stores" | "memory" | "local" | "signal"> & {
  config(): Promise<Config>;
  project(): Promise<Project>;
};

const SHOWN = 10;

/** When what runs next, when it ran last as the store tells, and which timers of this computer do it. */
export async function showSchedule(
  { environment, places }: { readonly environment: string | undefined; readonly places: TimerPlaces },
  deps: ShowDeps,
): Promise<ScheduleResult> {
  const { project, schedule } = await deps.config();
  const { backup, timezone: zone, jitter, catchUp } = schedule;
  if (backup === undefined) {
    throw new SummitError("config", "summit.yaml schedules nothing", { hint: `schedule: { backup: "15 * * * *" }` });
  }
  const last = await lookBack(environment, deps);
  return {
    schema: "summitctl.schedule.v1",
    now: deps.now().toISOString(),
    timezone: zone,
    jobs: [
      {
        job: "backup",
        cron: backup.text,
        jitter,
        catchUp,
        next: nextRuns({ times: backup, zone }, deps.now(), SHOWN).map((run) => ({
          utc: run.toISOString(),
          local: localText(run, zone),
        })),
        ...last,
        installed: await installedTimers(timerName(project, environment), places, deps.local),
      },
    ],
  };
}

/** The timetable is shown without the stores too. */
async function lookBack(named: string | undefined, deps: ShowDeps): Promise<Pick<ScheduledJob, "last" | "problem">> {
  try {
    const project = await deps.project();
    const environment = await chooseEnvironment(project, named, deps);
    const last = await lastBackup({ project: project.config.project, environment }, deps);
    return { last: last === undefined ? null : { id: last.id, at: last.at.toISOString() }, problem: null };
  } catch (error) {
    deps.signal.throwIfAborted();
    return { last: null, problem: messageOf(error) };
  }
}

/** `2026-11-23 02:30 +01:00` */
export function localText(instant: Date, zone: string): string {
  const offset = zoneOffset(zone, instant.getTime());
  const wall = new Date(instant.getTime() + offset).toISOString();
  const minutes = Math.abs(Math.round(offset / 60_000));
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${wall.slice(0, 10)} ${wall.slice(11, 16)} ${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

export const scheduleView = ({ jobs, timezone, now }: ScheduleResult): View =>
  jobs.flatMap(
    (job): View => [
      { title: `${job.job}: ${job.cron} (${timezone})` },
      {
        pairs: [
          ["last", lastText(job, new Date(now))],
          ["installed", job.installed.length === 0 ? "no; summitctl schedule install" : job.installed.join(", ")],
          ["jitter", `${job.jitter} s`],
          ["missed runs", job.catchUp ? "made up for, once" : "left out"],
        ],
      },
      { head: ["next", "UTC"], rows: job.next.map(({ local, utc }) => [local, utc]) },
    ],
  );

function lastText({ last, problem }: ScheduledJob, now: Date): string {
  if (problem !== null) return `unknown: ${problem}`;
  return last === null ? "never" : `${last.id}, ${ageText(new Date(last.at), now)}`;
}

import type { Argv } from "../core/argv.ts";
import { WHOLE } from "../core/cron/cron-times.ts";
import type { Timetable } from "../core/cron/run-times.ts";
import { backupArgv, type TimerJob } from "./timer-job.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

/** `Mon,Tue *-*-* 02:30:00 Europe/Berlin`. Every cron expression that summit.yaml accepts can be written so. */
export function onCalendar({ times, zone }: Timetable): string {
  const { minutes, hours, days, months, weekdays } = times;
  const list = (values: readonly number[], whole: number): string =>
    values.length === whole ? "*" : values.map((value) => String(value).padStart(2, "0")).join(",");
  const week = weekdays.length === WHOLE.weekdays ? "" : `${weekdays.map((day) => DAYS[day]).join(",")} `;
  const date = `*-${list(months, WHOLE.months)}-${list(days, WHOLE.days)}`;
  return `${week}${date} ${list(hours, WHOLE.hours)}:${list(minutes, WHOLE.minutes)}:00 ${zone}`;
}

const NOTE = "# Written by summitctl schedule install; run it again after a change of summit.yaml.";

/** `ofUser`: a unit of the user's own manager, which runs as that user anyway. */
export function serviceText(job: TimerJob, { ofUser }: { ofUser: boolean }): string {
  return `${NOTE}
[Unit]
Description=${job.description.replaceAll("%", "%%")}
${ofUser ? "" : "Wants=network-online.target\nAfter=network-online.target\n"}
[Service]
Type=oneshot
${ofUser ? "" : `User=${job.user}\n`}${environmentLines(job).join("\n")}
ExecStart=${execLine(backupArgv(job))}
# A backup that is cut aborts its upload before it ends.
KillMode=mixed
TimeoutStopSec=5min
`;
}

export const timerText = (job: TimerJob): string => `${NOTE}
[Unit]
Description=${job.description.replaceAll("%", "%%")}, ${job.table.times.text.replaceAll("%", "%%")} ${job.table.zone}

[Timer]
OnCalendar=${onCalendar(job.table)}
AccuracySec=1s
RandomizedDelaySec=${job.jitter}
Persistent=${job.catchUp}

[Install]
WantedBy=timers.target
`;

const environmentLines = ({ environment, environmentFile }: TimerJob): readonly string[] => [
  ...Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
  ...(environmentFile === undefined ? [] : [`EnvironmentFile=${environmentFile.replaceAll("%", "%%")}`]),
];

/** `%` starts a specifier and `$` a variable, quoted or not. */
const execLine = (argv: Argv): string => argv.map((word) => quoted(word).replaceAll("$", "$$$$")).join(" ");

function quoted(word: string): string {
  const escaped = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%");
  return /^[\w@+=:,./%-]+$/.test(word) ? escaped : `"${escaped}"`;
}

import { quote, toShell } from "../core/argv.ts";
import { plainCron } from "../core/cron/cron-times.ts";
import { nextRuns, type Timetable } from "../core/cron/run-times.ts";
import { backupArgv, type TimerJob } from "./timer-job.ts";

const begin = (name: string): string => `# BEGIN ${name} (written by summitctl schedule install)`;
const end = (name: string): string => `# END ${name}`;

/** The lines of a job, between comments by which they are found again. */
export function crontabBlock(job: TimerJob): string {
  const { environmentFile, environment } = job;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quote(value)}`);
  const source = environmentFile === undefined ? "" : `set -a; . ${quote(environmentFile)}; set +a; `;
  const line = `${source}${variables.join(" ")} ${toShell(backupArgv(job))}`;
  // cron takes a bare % for the end of the line.
  const command = line.replaceAll("%", "\\%");
  return [begin(job.name), `${plainCron(job.table.times)} ${command}`, end(job.name), ""].join("\n");
}

/** The crontab with the block put in place of the one it has, at its end when it has none, or without it. */
export function withBlock(crontab: string, name: string, block: string | undefined): string {
  const lines = crontab.split("\n");
  const from = lines.indexOf(begin(name));
  const to = lines.indexOf(end(name), from);
  if (from === -1 || to === -1) {
    if (block === undefined) return crontab;
    return `${crontab}${crontab === "" || crontab.endsWith("\n") ? "" : "\n"}${block}`;
  }
  const kept = [
    ...lines.slice(0, from),
    ...(block === undefined ? [] : block.trimEnd().split("\n")),
    ...lines.slice(to + 1),
  ];
  return kept.join("\n");
}

export const hasBlock = (crontab: string, name: string): boolean => crontab.split("\n").includes(begin(name));

/** Whether cron, which goes by the computer's own zone, would run it at the same moments. */
export function sameRuns(table: Timetable, zone: string, from: Date): boolean {
  const half = new Date(from.getTime() + 182 * 86_400_000);
  return [from, half].every((start) => {
    const own = nextRuns(table, start, 60).map(Number);
    const other = nextRuns({ ...table, zone }, start, 60).map(Number);
    return own.every((run, index) => run === other[index]);
  });
}

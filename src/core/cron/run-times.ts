import { type CronTimes, WHOLE } from "./cron-times.ts";
import { instantsOf, shiftedInstant, steadyOffset, wallTime } from "./zone.ts";

/** What runs when: cron times as the clocks of a time zone show them. */
export interface Timetable {
  readonly times: CronTimes;
  /** `Europe/Berlin` */
  readonly zone: string;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** 29 February may be eight years away; summit.yaml accepts no time that never comes. */
const SEARCH_DAYS = 9 * 366;

/** The first run after a moment. */
export function nextRun(table: Timetable, after: Date): Date {
  const from = dayOf(table, after) - DAY;
  for (let index = 0; index < SEARCH_DAYS; index += 1) {
    const found = runsOfDay(table, from + index * DAY).find((instant) => instant > after.getTime());
    if (found !== undefined) return new Date(found);
  }
  throw new Error(`"${table.times.text}" never runs`);
}

/** The last run at a moment or before it. */
export function previousRun(table: Timetable, at: Date): Date {
  const from = dayOf(table, at) + DAY;
  for (let index = 0; index < SEARCH_DAYS; index += 1) {
    const found = runsOfDay(table, from - index * DAY).findLast((instant) => instant <= at.getTime());
    if (found !== undefined) return new Date(found);
  }
  throw new Error(`"${table.times.text}" never ran`);
}

export function nextRuns(table: Timetable, after: Date, count: number): readonly Date[] {
  const runs: Date[] = [];
  for (let last = after; runs.length < count; runs.push(last)) last = nextRun(table, last);
  return runs;
}

/** Seconds of the longest wait between two runs that follow each other, among those that come after a moment. */
export function longestGap(table: Timetable, after: Date): number {
  // Enough for the weekend of what runs several times on working days, and for the months of what runs monthly.
  const end = after.getTime() + 8 * DAY;
  let longest = 0;
  let last = nextRun(table, after);
  for (let index = 0; index < 1000 && (index < 12 || last.getTime() < end); index += 1) {
    const next = nextRun(table, last);
    longest = Math.max(longest, next.getTime() - last.getTime());
    last = next;
  }
  return longest / 1000;
}

const dayOf = ({ zone }: Timetable, instant: Date): number => Math.floor(wallTime(zone, instant.getTime()) / DAY) * DAY;

/**
 * The runs of one day of the zone, in order. What runs every hour follows the clock through both changes: the hour
 * that comes twice has a run in each, the hour that is left out has none. What runs at hours that were named runs once
 * on each of its days: the first time, or later by the hour that is left out.
 */
function runsOfDay({ times, zone }: Timetable, day: number): readonly number[] {
  if (!isRunDay(times, day)) return [];
  const everyHour = times.hours.length === WHOLE.hours;
  const offset = steadyOffset(zone, day);
  const instants = times.hours.flatMap((hour) =>
    times.minutes.flatMap((minute) => {
      const wall = day + (hour * 60 + minute) * MINUTE;
      if (offset !== undefined) return [wall - offset];
      const found = instantsOf(zone, wall);
      if (everyHour) return found;
      return [found[0] ?? shiftedInstant(zone, wall)];
    }),
  );
  return [...new Set(instants)].sort((a, b) => a - b);
}

function isRunDay({ months, days, weekdays }: CronTimes, day: number): boolean {
  const date = new Date(day);
  return (
    months.includes(date.getUTCMonth() + 1) && days.includes(date.getUTCDate()) && weekdays.includes(date.getUTCDay())
  );
}

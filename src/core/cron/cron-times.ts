/** A cron expression of five fields, read: each list is sorted and holds every value that matches. */
export interface CronTimes {
  /** As written in summit.yaml. */
  readonly text: string;
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** 1 to 31; at most one of days and weekdays is less than all of them. */
  readonly days: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** 0 to 6, from Sunday. */
  readonly weekdays: readonly number[];
}

/** How many values each list has when its field is `*`. */
export const WHOLE = { minutes: 60, hours: 24, days: 31, months: 12, weekdays: 7 } as const;

/** Five fields that every cron reads alike, without names and nicknames: `0,30 2 * * 1,2,3`. */
export const plainCron = (times: CronTimes): string =>
  (["minutes", "hours", "days", "months", "weekdays"] as const)
    .map((field) => (times[field].length === WHOLE[field] ? "*" : times[field].join(",")))
    .join(" ");

import { createRequire } from "node:module";
import { type CronTimes, WHOLE } from "../core/cron/cron-times.ts";
import { show } from "../core/names.ts";

// Loaded only for a file that has a schedule.
const nodeCron = (): typeof import("node-cron") => createRequire(import.meta.url)("node-cron");

const EXAMPLE = `such as "15 * * * *" or "30 2 * * mon-fri"`;

/**
 * A cron expression, or what is wrong with it. What crons read differently is refused: seconds, `L`, `W` and `#`, and a day
 * of the month together with a weekday, which cron joins by "or" and systemd by "and".
 */
export function readCron(text: string): { times: CronTimes } | { problem: string } {
  const written = text.trim();
  const fields = written.split(/\s+/);
  if (fields.length !== 5 && !/^@[a-z]+$/.test(written))
    return { problem: `expected five cron fields ${EXAMPLE}, got ${show(text)}` };
  const { valid, errors } = nodeCron().validateDetailed(written);
  if (!valid) return { problem: `expected a cron expression ${EXAMPLE}: ${errors.map(errorWords).join(", ")}` };
  const parsed = nodeCron().parse(written);
  const special = [...parsed.dayOfMonth, ...parsed.dayOfWeek].find((value) => typeof value === "string");
  if (special !== undefined)
    return { problem: `${show(String(special))} is not known to every cron: list the days as numbers` };
  const times: CronTimes = {
    text: written,
    minutes: sorted(parsed.minute),
    hours: sorted(parsed.hour),
    days: sorted(parsed.dayOfMonth),
    months: sorted(parsed.month),
    weekdays: sorted(parsed.dayOfWeek),
  };
  if (times.days.length < WHOLE.days && times.weekdays.length < WHOLE.weekdays)
    return { problem: `expected a day of the month or a weekday: cron joins the two by "or", systemd by "and"` };
  return { times };
}

const errorWords = ({ field, value, message }: { field: string; value?: string; message: string }): string =>
  field === "expression"
    ? message
    : `${field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${show(value ?? "")}`;

const sorted = (values: readonly (number | string)[]): readonly number[] =>
  [...new Set(values.map(Number))].sort((a, b) => a - b);

import * as z from "zod";
import { isZone } from "../core/cron/zone.ts";
import { parseDuration } from "../core/duration.ts";
import { show } from "../core/names.ts";
import { Secret } from "../core/secret.ts";
import { readCron } from "./cron-expression.ts";
import { KEY_PATTERN, keyCheck, plainTextCheck } from "./field-checks.ts";
import type { CheckConfig, NotifyConfig, ScheduleConfig, SecretUrl } from "./schedule-types.ts";

type Words = (value: string) => string | undefined;

const text = (accepts: Words) =>
  z.string().superRefine((value, context) => {
    const message = accepts(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const duration = (least: number, most: number, words: string) =>
  text((value) => {
    const seconds = parseDuration(value);
    if (seconds === undefined) return `expected a duration such as 90s, 15m, 2h or 1d, got ${show(value)}`;
    return seconds < least || seconds > most ? `expected ${words}, got ${show(value)}` : undefined;
  });

const cron = text((value) => {
  const read = readCron(value);
  return "problem" in read ? read.problem : undefined;
});

const timezone = text((value) =>
  isZone(value) ? undefined : `expected a time zone such as Europe/Berlin, got ${show(value)}`,
);

// What was written is not repeated in the message: it may be most of a URL that works.
const url = text((value) =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && !/\s/.test(value)
    ? undefined
    : "expected a URL that begins with https:// or http://, or { secret: NAME }",
);

const secretUrl = z.union([
  url,
  z.strictObject({
    secret: text(keyCheck("a secret's")).meta({ pattern: KEY_PATTERN }).describe("the secret that holds the URL"),
  }),
]);

export const scheduleSchema = z
  .strictObject({
    backup: cron.optional().describe("when backups are taken: a cron expression of five fields"),
    timezone: timezone.default("UTC").describe("whose clocks the times are meant by, such as `Europe/Berlin`"),
    jitter: duration(0, 3600, "at most 1h").default("0s").describe("each run starts later by up to this"),
    catch_up: z
      .boolean()
      .default(true)
      .describe("a run that was missed, because the computer slept or was off, is made up for, once"),
  })
  .prefault({})
  .describe("what is done by itself: by `schedule run`, or by the timer that `schedule install` sets up");

export const notifySchema = z
  .strictObject({
    ping: secretUrl
      .optional()
      .describe("dead man's switch, healthchecks protocol: URL or `{ secret: NAME }`; told of start, success, failure"),
    webhook: secretUrl.optional().describe("URL or `{ secret: NAME }` that gets JSON"),
    command: z
      .array(text(plainTextCheck))
      .min(1)
      .optional()
      .describe("program and arguments, such as `[mail, -s, backup, ops@example.org]`; gets the text on stdin"),
    on: z
      .enum(["failure", "always"])
      .default("failure")
      .describe("when webhook and command are told; the ping always is"),
  })
  .prefault({})
  .describe("who is told how a scheduled backup went");

const age = duration(60, 366 * 86_400, "between 1m and 366d");

export const checkSettings = z
  .strictObject({
    warn_age: age.optional().describe("a newest backup older than this is a WARNING; default: from the schedule"),
    crit_age: age.optional().describe("and than this is CRITICAL; default: from the schedule"),
    size_drop: z
      .int()
      .min(1)
      .max(100)
      .default(50)
      .describe("WARNING when the newest is smaller by this many percent than the median of the ten before it"),
    verify_age: age.optional().describe("WARNING when no verification went well for this long; default: not judged"),
  })
  .prefault({})
  .describe("what `check` takes for too old and too small");

export function toSchedule({ backup, ...raw }: z.output<typeof scheduleSchema>): ScheduleConfig {
  const read = backup === undefined ? undefined : readCron(backup);
  if (read !== undefined && "problem" in read) throw new Error(`a schedule passed the schema: ${read.problem}`);
  return { backup: read?.times, timezone: raw.timezone, jitter: parseDuration(raw.jitter) ?? 0, catchUp: raw.catch_up };
}

export const toNotify = ({ ping, webhook, command, on }: z.output<typeof notifySchema>): NotifyConfig => ({
  ping: toSecretUrl(ping),
  webhook: toSecretUrl(webhook),
  command,
  on,
});

const toSecretUrl = (raw: string | { secret: string } | undefined): SecretUrl | undefined =>
  typeof raw === "string" ? { url: new Secret(raw) } : raw;

export const toCheck = ({
  warn_age,
  crit_age,
  size_drop,
  verify_age,
}: z.output<typeof checkSettings>): CheckConfig => ({
  warnAge: secondsOf(warn_age),
  critAge: secondsOf(crit_age),
  sizeDrop: size_drop,
  verifyAge: secondsOf(verify_age),
});

const secondsOf = (written: string | undefined): number | undefined =>
  written === undefined ? undefined : parseDuration(written);

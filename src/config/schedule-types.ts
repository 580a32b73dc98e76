import type { CronTimes } from "../core/cron/cron-times.ts";
import type { Secret } from "../core/secret.ts";

/** What is done by itself, and when. */
export interface ScheduleConfig {
  /** Undefined: no backups by schedule. */
  readonly backup: CronTimes | undefined;
  /** Whose clocks the times are meant by: `Europe/Berlin`. */
  readonly timezone: string;
  /** Seconds; each run starts later by up to this. */
  readonly jitter: number;
  /** A run that was missed is made up for, once. */
  readonly catchUp: boolean;
}

/** A URL that whoever has it may call: it is never shown. */
export type SecretUrl = { readonly url: Secret } | { readonly secret: string };

/** Who is told how a scheduled backup went. */
export interface NotifyConfig {
  /** A dead man's switch that speaks the healthchecks protocol. */
  readonly ping: SecretUrl | undefined;
  /** Gets JSON. */
  readonly webhook: SecretUrl | undefined;
  /** Program and arguments; gets the text on its standard input. */
  readonly command: readonly string[] | undefined;
  /** When webhook and command are told; the ping always is. */
  readonly on: "failure" | "always";
}

/** What `check` takes for too old and too small. */
export interface CheckConfig {
  /** Seconds; undefined: worked out from the schedule. */
  readonly warnAge: number | undefined;
  readonly critAge: number | undefined;
  /** Percent by which the newest backup may be smaller than the ones before it. */
  readonly sizeDrop: number;
  /** Seconds; undefined: not judged. */
  readonly verifyAge: number | undefined;
}

import prettyBytes from "pretty-bytes";
import type { Progress } from "../../core/ports/output.ts";
import { durationText } from "../../core/time.ts";
import { printableLine } from "./printable.ts";
import type { RateMeter } from "./rate-meter.ts";

export interface TaskState {
  readonly title: string;
  /** Milliseconds. */
  readonly startedAt: number;
  readonly meter: RateMeter;
  latest: Progress;
}

/** `dump summit  310 MB of 638 MB  48%  52 MB/s  6 s left  6 s`; `now` in milliseconds. */
export function progressLine(task: TaskState, now: number): string {
  const { bytes, total, text } = task.latest;
  const rate = task.meter.rate(now);
  return join([
    task.title,
    text,
    bytes === undefined ? undefined : sizeText(bytes, total),
    bytes === undefined || !total ? undefined : `${Math.min(100, Math.floor((100 * bytes) / total))}%`,
    rate === undefined ? undefined : `${prettyBytes(Math.max(0, Math.round(rate)))}/s`,
    bytes === undefined || !total || !rate || bytes > total
      ? undefined
      : `${durationText((total - bytes) / rate)} left`,
    elapsed(task, now),
  ]);
}

/** `dump summit  638 MB  12 s`; `text` is what the task said when it ended. */
export function endLine(task: TaskState, text: string | undefined, now: number): string {
  const { bytes } = task.latest;
  return join([task.title, text, bytes === undefined ? undefined : prettyBytes(bytes), elapsed(task, now)]);
}

const sizeText = (bytes: number, total: number | undefined): string =>
  total === undefined ? prettyBytes(bytes) : `${prettyBytes(bytes)} of ${prettyBytes(total)}`;

const elapsed = (task: TaskState, now: number): string => durationText(Math.max(0, now - task.startedAt) / 1000);

const join = (parts: readonly (string | undefined)[]): string =>
  parts
    .filter((part) => part !== undefined && part !== "")
    .map((part) => printableLine(part ?? ""))
    .join("  ");

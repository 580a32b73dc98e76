import { SummitError } from "./errors.ts";
import { show } from "./names.ts";

const SIZES: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of `90s`, `15m`, `2h`, `1d`, `1w` or several in a row, such as `1h30m`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const compact = text.replaceAll(" ", "");
  if (!/^(\d{1,6}(s|min|m|h|d|w))+$/.test(compact)) return undefined;
  return [...compact.matchAll(/(\d+)([a-z]+)/g)].reduce(
    (sum, [, count = "0", unit = "s"]) => sum + Number(count) * (SIZES[unit] ?? 0),
    0,
  );
}

/** Reads the value of a flag: seconds as `90` or a duration as `2m`, at most a day. Throws kind `usage`. */
export const secondsOf =
  (flag: string) =>
  (text: string): number => {
    const seconds = /^\d{1,6}$/.test(text) ? Number(text) : parseDuration(text);
    if (seconds !== undefined && seconds <= 86_400) return seconds;
    throw new SummitError("usage", `${flag} expects seconds or a duration such as 10m, got ${show(text)}`, {
      hint: `${flag} 600`,
    });
  };

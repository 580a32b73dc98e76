/** Injected wherever time matters, so that tests pass a clock instead of sleeping. */
export type Now = () => Date;

/** `20261122T143800Z`: UTC, sortable, safe in file names. */
export const utcStamp = (date: Date): string => `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

const UNITS: readonly [string, number][] = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** A duration in words with at most two units: `2 h 5 min`, `41 s`, `0.4 s`. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds < 0) return `-${durationText(-seconds)}`;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    rest -= count * size;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** `2 h 5 min ago`; a time in the future says so, because it means that a clock is wrong. */
export function ageText(then: Date, now: Date): string {
  const seconds = (now.getTime() - then.getTime()) / 1000;
  return seconds < -1 ? `${durationText(-seconds)} in the future` : `${durationText(Math.max(0, seconds))} ago`;
}

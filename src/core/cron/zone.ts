/** A moment as a clock on the wall of a time zone shows it, written as if it were UTC, in milliseconds. */
export type WallTime = number;

const DAY = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether this computer knows a time zone of that name, such as `Europe/Berlin`. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the wall shows minus UTC, in milliseconds. */
export function zoneOffset(zone: string, instant: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

export const wallTime = (zone: string, instant: number): WallTime => instant + zoneOffset(zone, instant);

/** The moments when the wall shows this: two where clocks are set back, none where they are set forward. */
export function instantsOf(zone: string, wall: WallTime): readonly number[] {
  const offsets = new Set([zoneOffset(zone, wall - DAY), zoneOffset(zone, wall + DAY)]);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((instant) => wallTime(zone, instant) === wall)
    .sort((a, b) => a - b);
}

/** A time that does not exist comes later by as much as clocks were set forward: 02:30 is 03:30 that day. */
export const shiftedInstant = (zone: string, wall: WallTime): number => wall - zoneOffset(zone, wall - DAY);

/** The offset of a whole day, or undefined when it changes during it or close to it. */
export function steadyOffset(zone: string, day: WallTime): number | undefined {
  const before = zoneOffset(zone, day - DAY);
  return before === zoneOffset(zone, day + 2 * DAY) && before === zoneOffset(zone, day + DAY / 2) ? before : undefined;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "iso8601",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(zone, made);
  return made;
}

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

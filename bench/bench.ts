export interface Row {
  readonly name: string;
  readonly unit: "s" | "MB" | "ms";
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Of this median to the one that it is compared with. */
  readonly ratio?: number;
  /** Of the ratio, or of the median where there is none. */
  readonly target?: number;
}

export type Bench = (say: (line: string) => void) => Promise<{ rows: readonly Row[]; notes: readonly string[] }>;

export function row(
  name: string,
  unit: Row["unit"],
  values: readonly number[],
  more: Pick<Row, "ratio" | "target"> = {},
): Row {
  const sorted = [...values].sort((a, b) => a - b);
  return { name, unit, median: median(values), minimum: sorted[0] ?? 0, maximum: sorted.at(-1) ?? 0, ...more };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

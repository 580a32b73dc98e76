import { show } from "../core/names.ts";
import type { Finding, Path } from "./problems.ts";

/** Values that stand in a list twice; undefined ones are not looked at. */
export function repeated(values: readonly unknown[], path: Path, what?: string): readonly Finding[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    if (typeof value !== "string" || first === index) return [];
    return [{ path: [...path, index], message: `${what ?? show(value)} is there twice, first as number ${first + 1}` }];
  });
}

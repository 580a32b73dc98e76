import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "./errors.ts";
import type { Check } from "./ports/machines.ts";

export interface SpaceNeeds {
  /** What is kept there, for the name of the check. */
  readonly what: string;
  /** Bytes below which work gets tight, and below which it fails. */
  readonly enough: number;
  readonly least: number;
}

/** How much is free where a folder is, or is going to be. Changes nothing and never throws. */
export async function freeSpace(folder: string, needs: SpaceNeeds): Promise<Check> {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = await statfs(place);
      return judgeSpace(folder, bavail * bsize, needs);
    } catch (error) {
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (missing && dirname(place) !== place) continue;
      return { name: `disk: ${needs.what}`, ok: "warning", message: messageOf(error), hint: `df -h ${folder}` };
    }
  }
}

export function judgeSpace(folder: string, free: number, { what, enough, least }: SpaceNeeds): Check {
  const found = `${gigabytes(free)} free in ${folder}`;
  const check = { name: `disk: ${what}`, message: found };
  if (free >= enough) return { ...check, ok: true };
  return {
    ...check,
    ok: free >= least ? "warning" : false,
    message: `${found}, expected ${gigabytes(enough)}`,
    hint: `df -h ${folder}`,
  };
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

import { createLogUpdate } from "log-update";
import type { OutputStream } from "./streams.ts";

/** The lines at the bottom of a terminal that are drawn over and over. */
export interface LiveArea {
  draw(lines: readonly string[]): void;
  /** Takes the lines away, so that permanent text can be written. Harmless when nothing is drawn. */
  clear(): void;
}

/** Lines are cut to the terminal's width. */
export function liveArea(stream: OutputStream): LiveArea {
  // The cursor stays visible: below the lines it disturbs nobody, and so no way of dying can leave it hidden.
  const update = createLogUpdate(stream, { showCursor: true });
  return {
    draw: (lines) => update(lines.map((line) => cut(line, (stream.columns || 80) - 1)).join("\n")),
    clear: () => update.clear(),
  };
}

function cut(line: string, width: number): string {
  const chars = [...line];
  return chars.length <= width ? line : `${chars.slice(0, Math.max(1, width - 1)).join("")}…`;
}

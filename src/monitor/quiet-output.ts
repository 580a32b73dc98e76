import type { Output } from "../core/ports/output.ts";

/** The same output, but warnings are shown with -v only: where what went wrong is part of the result. */
export const quietOutput = (out: Output): Output => ({
  result: (value, view) => out.result(value, view),
  show: (value, view) => out.show(value, view),
  note: (line) => out.note(line),
  warn: (line) => out.debug(line),
  debug: (line) => out.debug(line),
  task: (title) => out.task(title),
});

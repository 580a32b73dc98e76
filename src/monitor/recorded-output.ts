import type { Output } from "../core/ports/output.ts";

/** How many lines are kept for those who are told. */
const KEPT = 40;

/** The same output, and the last lines of what was said through it. */
export function recordedOutput(out: Output): { readonly out: Output; readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT) lines.shift();
  };
  const recorded: Output = {
    result: (value, view) => out.result(value, view),
    show: (value, view) => out.show(value, view),
    debug: (line) => out.debug(line),
    note: (line) => {
      keep(line);
      out.note(line);
    },
    warn: (line) => {
      keep(`warning: ${line}`);
      out.warn(line);
    },
    task: (title) => {
      const task = out.task(title);
      return {
        progress: (progress) => task.progress(progress),
        done: (text) => {
          keep(`${title}: ${text ?? "done"}`);
          task.done(text);
        },
        fail: (text) => {
          keep(`${title}: ${text ?? "FAILED"}`);
          task.fail(text);
        },
      };
    },
  };
  return { out: recorded, lines };
}

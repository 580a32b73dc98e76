import type { View } from "../core/ports/output.ts";
import type { TimerKind } from "./timer-places.ts";

export interface Change {
  /** Absolute path, or `crontab`. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export interface InstallResult {
  readonly schema: "summitctl.schedule-install.v1";
  /** Null: there was nothing to remove. */
  readonly kind: TimerKind | null;
  readonly name: string;
  /** False: it was like this already. */
  readonly changed: boolean;
  /** What was written or removed. */
  readonly files: readonly string[];
  /** What this kind of timer does not do. */
  readonly notes: readonly string[];
}

export const changeView = ({ changes }: { readonly changes: readonly Change[] }): View =>
  changes.flatMap(
    ({ file, before, after }): View => [{ title: file }, { text: differences(before, after).join("\n") }],
  );

/** Lines that go and lines that come; what is the same before the first and after the last is left out. */
export function differences(before: string, after: string): readonly string[] {
  const old = before === "" ? [] : before.trimEnd().split("\n");
  const next = after === "" ? [] : after.trimEnd().split("\n");
  let from = 0;
  while (from < old.length && from < next.length && old[from] === next[from]) from += 1;
  let tail = 0;
  while (tail < old.length - from && tail < next.length - from && old.at(-1 - tail) === next.at(-1 - tail)) tail += 1;
  return [
    ...old.slice(from, old.length - tail).map((line) => `- ${line}`),
    ...next.slice(from, next.length - tail).map((line) => `+ ${line}`),
  ];
}

export const installView = ({ kind, name, changed, notes }: InstallResult): View => [
  { text: `${name} (${kind}) ${changed ? "is set up" : "was set up already"}; when it runs: summitctl schedule show` },
  ...notes.map((text) => ({ text })),
];

export const uninstallView = ({ name, changed }: InstallResult): View => [
  { text: changed ? `${name} is removed` : `${name} is not set up` },
];

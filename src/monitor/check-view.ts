import { bytesText } from "../backup/backup-view.ts";
import type { View } from "../core/ports/output.ts";
import { durationText } from "../core/time.ts";
import { CHECK_EXIT, type CheckResult } from "./judge-stores.ts";

/** One line, as monitoring plugins print it: state, words, `|`, numbers. */
export const checkView = (result: CheckResult): View => [{ text: checkLine(result) }];

export function checkLine({ state, findings, newest, perfdata }: CheckResult): string {
  const found = findings.map(({ message }) => message).join("; ");
  const best =
    newest === null
      ? undefined
      : `${newest.id} is ${durationText(newest.age)} old, ${bytesText(newest.bytes)}, in ${storesText(newest.stores.length)}`;
  const words = [...(found === "" ? [] : [found]), ...(best === undefined ? [] : [best])].join("; ");
  // What stands behind the first bar is read as numbers, and of several lines only the first is shown.
  const text = words.replaceAll("|", "/").replaceAll(/\s+/g, " ");
  return `${state}: ${text}${perfdata.length === 0 ? "" : ` | ${perfdata.join(" ")}`}`;
}

const storesText = (count: number): string => `${count} ${count === 1 ? "store" : "stores"}`;

export const checkExit = ({ state }: CheckResult): number => CHECK_EXIT[state];

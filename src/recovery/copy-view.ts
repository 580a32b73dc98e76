import { bytesText } from "../backup/backup-view.ts";
import { exitCode } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import { durationText } from "../core/time.ts";
import type { CopiedResult, CopyOutcome } from "./copy-backups.ts";

/** 8 when what was to be copied is damaged, 7 when a required store failed or could not be looked into. */
export function copyExit({ copies, unread }: CopiedResult): number {
  const bad = copies.filter(({ required, outcome }) => required && outcome === "failed");
  if (bad.some(({ problemKind }) => problemKind === "verification")) return exitCode("verification");
  return exitCode(bad.length > 0 || unread.some(({ required }) => required) ? "store" : "ok");
}

export function copiedView({ copies, unread }: CopiedResult): View {
  const problems: View = unread.map(({ url, problem }) => ({ text: `NOT LOOKED INTO: ${url}: ${problem}` }));
  if (copies.length === 0) return [...problems, { text: "every store has every backup, nothing was copied" }];
  return [...problems, { head: ["backup", "databases", "from", "to", "size", "took", ""], rows: copies.map(row) }];
}

const row = ({ backup, databases, from, to, outcome, ...copy }: CopyOutcome): string[] => [
  backup,
  databases.join(", "),
  from ?? "-",
  to,
  bytesText(copy.storedBytes),
  outcome === "copied" ? durationText(copy.seconds) : "-",
  [
    outcome === "failed" ? `NOT COPIED: ${copy.problem}` : outcome,
    ...(copy.keptAnew ? ["kept or released as there"] : []),
  ].join(", "),
];

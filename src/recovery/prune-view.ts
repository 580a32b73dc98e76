import { bytesText } from "../backup/backup-view.ts";
import type { RetentionDecision } from "../backup/retention.ts";
import { exitCode } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";

export interface PruneResult {
  readonly schema: "summitctl.backups-pruned.v1";
  readonly dryRun: boolean;
  readonly stores: readonly PrunedStore[];
}

export interface PrunedStore {
  readonly url: string;
  readonly required: boolean;
  /** Newest first. Empty when the store could not be listed whole. */
  readonly decisions: readonly RetentionDecision[];
  /** Ids. */
  readonly removed: readonly string[];
  /** Why not all of it was done; null: it was. */
  readonly problem: string | null;
}

/** 7 when retention could not do its work in a required store. */
export const pruneExit = ({ stores }: PruneResult): number =>
  exitCode(stores.some(({ required, problem }) => required && problem !== null) ? "store" : "ok");

export const prunedView = ({ stores }: PruneResult): View =>
  stores.flatMap(({ url, decisions, removed, problem }): View => {
    const doomed = decisions.filter(({ action }) => action === "remove");
    return [
      { title: url },
      ...(problem === null ? [] : [{ text: problem }]),
      ...(decisions.length === 0
        ? []
        : [{ head: ["", "id", "environment", "data from", "size", "why"], rows: decisions.map(row) }]),
      { text: `${decisions.length - doomed.length} stay, ${doomed.length} to remove, ${removed.length} removed` },
    ];
  });

const row = ({ action, id, environment, dataFrom, storedBytes, reasons }: RetentionDecision): string[] => [
  action === "remove" ? "REMOVE" : "keep",
  id,
  environment,
  dataFrom === null ? "-" : `${dataFrom.slice(0, 16)}Z`,
  storedBytes === null ? "-" : bytesText(storedBytes),
  reasons.join(", "),
];

import type { ObjectStore } from "../core/ports/store.ts";
import { readCatalog } from "./catalog.ts";

export interface BackupSummary {
  /** The one that is newest by the store's clock. */
  readonly newest: { readonly id: string; readonly environment: string; readonly dataFrom: Date } | undefined;
  /** Ids of those that cannot be read. */
  readonly broken: readonly string[];
}

/** What a store has of a project, in short. */
export async function backupSummary(store: ObjectStore, project: string): Promise<BackupSummary> {
  const { backups, broken } = await readCatalog(store, project, undefined);
  const head = backups[0]?.manifest;
  const newest =
    head === undefined ? undefined : { id: head.id, environment: head.environment, dataFrom: new Date(head.dataFrom) };
  return { newest, broken: broken.map(({ id }) => id) };
}

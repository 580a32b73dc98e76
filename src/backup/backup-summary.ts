import type { ObjectStore } from "../core/ports/store.ts";
import { readCatalog } from "./catalog.ts";
import { dataTime } from "./manifest.ts";

export interface BackupSummary {
  /** The one that is newest by the store's clock. */
  readonly newest: { readonly id: string; readonly environment: string; readonly dataFrom: Date } | undefined;
  /** Ids of those that cannot be read. */
  readonly broken: readonly string[];
}

/** What a store has of a project, in short. */
export async function backupSummary(store: ObjectStore, project: string): Promise<BackupSummary> {
  const { backups, broken } = await readCatalog(store, project, undefined);
  const manifest = backups[0]?.manifest;
  const newest =
    manifest === undefined
      ? undefined
      : { id: manifest.id, environment: manifest.environment, dataFrom: dataTime(manifest) };
  return { newest, broken: broken.map(({ id }) => id) };
}

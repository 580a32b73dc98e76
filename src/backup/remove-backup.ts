import type { ObjectStore } from "../core/ports/store.ts";
import { type BackupPlace, backupPrefix, manifestKey } from "./keys.ts";

/**
 * Removes a backup: its manifest first, so that it is no backup any more when this is cut, then its files and records.
 * What a cut leaves is removed with the leftovers of the next backup. Repeatable.
 */
export async function removeBackup(store: ObjectStore, place: BackupPlace): Promise<void> {
  const manifest = manifestKey(place);
  await store.delete(manifest);
  const rest = await store.list(backupPrefix(place.project, place.environment, place.id));
  for (const { key } of rest) if (key !== manifest) await store.delete(key);
}

import { isSummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { claimBackup, listClaims } from "./claim.ts";
import { type BackupPlace, backupPrefix, environmentPrefix, manifestKey, readBackupKey } from "./keys.ts";

type Place = Pick<BackupPlace, "project" | "environment">;

/**
 * Removes objects of backups that have no manifest, and nothing else that somebody may have put beside them. Called
 * with the server's lock held, which every backup of it holds while it runs, and copies and imports claim what they
 * write: whoever wrote them does not run any more, however old or young they are. What a cut prune left has no manifest
 * either.
 */
export async function removeLeftovers({ project, environment }: Place, store: ObjectStore): Promise<void> {
  await removeClaimedByTheDead({ project, environment }, store);
  const claims = await listClaims(store, { project, environment });
  if (claims.length === 0) await store.removeUnfinished(environmentPrefix(project, environment));
  await removeUnclaimed({ project, environment }, store);
}

/**
 * The same for a store into which no backup is taken, only copied: every writer there claims what it writes. Resolves
 * with the ids of claimed ones that stay because it cannot be told from here whether somebody writes them.
 */
export async function removeCopyLeftovers(place: Place, store: ObjectStore): Promise<string[]> {
  await removeClaimedByTheDead(place, store);
  await removeUnclaimed(place, store);
  const claims = await listClaims(store, place);
  return claims.flatMap(({ id, alive }) => (alive === undefined ? [id] : []));
}

/** What a killed writer of this computer began: it may have left nothing but the beginning of its first file. */
async function removeClaimedByTheDead(place: Place, store: ObjectStore): Promise<void> {
  for (const { id, key, alive } of await listClaims(store, place)) {
    if (alive !== false) continue;
    try {
      // Somebody may be at work with the same backup by now.
      await using _claim = await claimBackup(store, { ...place, id });
      // Killed after its last act, it has left a whole backup.
      if ((await store.head(manifestKey({ ...place, id }))) === undefined)
        await removeFiles(backupPrefix(place.project, place.environment, id), store);
    } catch (error) {
      if (!isSummitError(error) || error.kind !== "locked") throw error;
      continue;
    }
    await store.delete(key);
  }
}

/**
 * Objects are listed before claims: who wrote a listed one had claimed it before, so that he has it still, or has ended
 * since, and then the manifest is there by now if it ended well.
 */
async function removeUnclaimed({ project, environment }: Place, store: ObjectStore): Promise<void> {
  const listed = (await store.list(environmentPrefix(project, environment))).flatMap(({ key }) => {
    const object = readBackupKey(key);
    return object === undefined ? [] : [object];
  });
  const whole = new Set(listed.filter(({ what }) => what === "manifest").map(({ id }) => id));
  const candidates = new Set(listed.map(({ id }) => id).filter((id) => !whole.has(id)));
  if (candidates.size === 0) return;
  const claimed = new Set((await listClaims(store, { project, environment })).map(({ id }) => id));
  for (const id of candidates) {
    if (claimed.has(id) || (await store.head(manifestKey({ project, environment, id }))) !== undefined) continue;
    await removeFiles(backupPrefix(project, environment, id), store);
  }
}

async function removeFiles(prefix: string, store: ObjectStore): Promise<void> {
  await store.removeUnfinished(prefix);
  for (const { key } of await store.list(prefix)) if (readBackupKey(key) !== undefined) await store.delete(key);
}

import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { environmentPrefix, readBackupKey } from "./keys.ts";

/**
 * Removes objects of backups that have no manifest, and nothing else that somebody may have put beside them. Called
 * with the server's lock held, which every backup of it holds while it runs: whoever wrote them does not run any more,
 * however old or young they are. What a cut prune left has no manifest either.
 */
export async function removeLeftovers({ project, environment }: DatabaseServer, store: ObjectStore): Promise<void> {
  const prefix = environmentPrefix(project, environment);
  await store.removeUnfinished(prefix);
  const objects = (await store.list(prefix)).flatMap(({ key }) => {
    const object = readBackupKey(key);
    return object === undefined ? [] : [{ key, ...object }];
  });
  const whole = new Set(objects.filter(({ what }) => what === "manifest").map(({ id }) => id));
  for (const { key, id } of objects) if (!whole.has(id)) await store.delete(key);
}

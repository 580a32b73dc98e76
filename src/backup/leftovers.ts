import { isBackupId } from "../core/names.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { environmentPrefix, MANIFEST_FILE } from "./keys.ts";
import type { DatabaseServer } from "./source.ts";

/**
 * Removes objects of backups that never got a manifest, and nothing else that somebody may have put beside them. Called with the locks of all databases held: whoever wrote
 * them does not run any more, however old or young they are.
 */
export async function removeLeftovers({ project, environment }: DatabaseServer, store: ObjectStore): Promise<void> {
  const objects = await store.list(environmentPrefix(project, environment));
  const folderOf = (key: string) => key.slice(0, key.lastIndexOf("/") + 1);
  const whole = new Set(objects.filter(({ key }) => key.endsWith(`/${MANIFEST_FILE}`)).map(({ key }) => folderOf(key)));
  for (const { key } of objects) {
    const [, , id = "", file] = key.split("/");
    if (file !== undefined && isBackupId(id) && !whole.has(folderOf(key))) await store.delete(key);
  }
}

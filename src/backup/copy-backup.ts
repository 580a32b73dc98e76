import type { Deps } from "../core/deps.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import type { StoredBackup } from "./feed-member.ts";
import { backupPrefix, MANIFEST_FILE } from "./keys.ts";
import { memberKey, readMember } from "./read-member.ts";

/**
 * Copies a backup into another store, each part checked on its way and the manifest last. What a cut copy left there
 * is gone over again: objects are write-once, so one that is there with the right size was stored whole.
 */
export async function copyBackup(
  { manifest, store }: StoredBackup,
  to: ObjectStore,
  deps: Pick<Deps, "out" | "signal">,
): Promise<void> {
  const task = deps.out.task(`copy ${manifest.id} to ${to.url}`);
  try {
    for (const member of manifest.members) {
      const key = memberKey(manifest, member);
      const there = await to.head(key);
      if (there?.size === member.stored.bytes) continue;
      const body = readMember(store, manifest, member, (bytes) => task.progress({ bytes, total: member.stored.bytes }));
      const { size } = await to.put(key, body, deps.signal);
      if (size !== member.stored.bytes) {
        throw new SummitError(
          "verification",
          `${to.url} holds ${size} bytes of ${member.file}, expected ${member.stored.bytes}`,
          { hint: "run the same command again" },
        );
      }
    }
    await putManifest({ manifest, store }, to, deps.signal);
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

async function putManifest({ manifest }: StoredBackup, to: ObjectStore, signal: AbortSignal): Promise<void> {
  const key = `${backupPrefix(manifest.project, manifest.environment, manifest.id)}${MANIFEST_FILE}`;
  try {
    await to.put(key, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), signal);
  } catch (error) {
    // It is there already: the copy had been made.
    if (!isSummitError(error) || error.kind !== "check") throw error;
  }
}

import { type Copied, copyBackup } from "../backup/copy-backup.ts";
import type { StoredBackup } from "../backup/feed-member.ts";
import { isRequired } from "../backup/holders.ts";
import type { BackupPlace } from "../backup/keys.ts";
import { removeCopyLeftovers } from "../backup/leftovers.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";

type CopyDeps = Pick<Deps, "out" | "signal">;

/**
 * Copies a backup that is in one store into another, after what killed copies left there was removed. A store that
 * summit.yaml does not require may fail: that is a warning, and the backup is in the others.
 */
export async function copyFurther(
  other: ObjectStore,
  backup: StoredBackup,
  config: Pick<Config, "stores">,
  deps: CopyDeps,
): Promise<Copied | undefined> {
  try {
    await sweepCopies(other, backup.manifest, deps);
    return await copyBackup(backup, other, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    const { id } = backup.manifest;
    if (!isRequired(other, config)) {
      deps.out.warn(`the backup is not in ${other.url}: ${messageOf(error)}`);
      return undefined;
    }
    throw new SummitError(
      isSummitError(error) && error.kind === "verification" ? "verification" : "store",
      `backup ${id} is in ${backup.store.url}, but not in ${other.url}, which is required: ${messageOf(error)}`,
      { cause: error, hint: `mend that store, then: summitctl backups copy ${id}` },
    );
  }
}

/** Removes what killed copies into a further store left, of one environment. Throws what the store throws. */
export async function sweepCopies(
  store: ObjectStore,
  place: Pick<BackupPlace, "project" | "environment">,
  { out }: Pick<Deps, "out">,
): Promise<void> {
  for (const id of await removeCopyLeftovers(place, store))
    out.debug(`${store.url}: another computer writes backup ${id}, or began to; what it left is not removed from here`);
}

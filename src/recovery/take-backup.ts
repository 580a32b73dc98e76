import type { BackupResult } from "../backup/backup-view.ts";
import { copyBackup } from "../backup/copy-backup.ts";
import type { DumpForm } from "../backup/dump-form.ts";
import type { StoredBackup } from "../backup/feed-member.ts";
import { runBackup } from "../backup/run-backup.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { openDatabaseHost } from "../environment/database-host.ts";
import type { Project } from "../environment/project.ts";
import { applyRetention } from "./prune-backups.ts";

export type TakeBackupDeps = Pick<
  Deps,
  "out" | "now" | "signal" | "version" | "machines" | "stores" | "connector" | "memory"
>;

/**
 * A backup of an environment's databases into the project's first store, copied to the others. Then retention removes
 * what it does not keep. `lockWait`: seconds to wait for another backup of that environment to end.
 */
export async function takeBackup(
  project: Project,
  environment: string,
  deps: TakeBackupDeps,
  { lockWait = 0 }: { readonly lockWait?: number | undefined } = {},
): Promise<BackupResult> {
  const began = deps.now();
  const [store, ...more] = await deps.stores();
  await using host = await openDatabaseHost(project, environment, deps);
  const manifest = await runBackup(host, store, deps, {
    form: formOf(project.config.backup),
    backupWait: lockWait,
    yieldAfter: project.config.backup.yieldAfter,
  });
  for (const other of more) await copyTo(other, { manifest, store }, project, deps);
  await prune(project, environment, deps);
  return {
    schema: "summitctl.backup-taken.v1",
    manifest,
    store: store.url,
    seconds: (deps.now().getTime() - began.getTime()) / 1000,
  };
}

const formOf = ({ content, compression, level, rolePasswords, encrypt }: Config["backup"]): DumpForm => ({
  content,
  compression,
  level,
  rolePasswords,
  recipients: encrypt?.recipients ?? [],
});

/** The backup is there, whatever becomes of this: every failure of it is a warning, an abort too. */
async function prune({ config }: Project, environment: string, deps: TakeBackupDeps): Promise<void> {
  try {
    const result = await applyRetention(config, environment, deps);
    const removed = result?.stores.reduce((sum, store) => sum + store.removed.length, 0) ?? 0;
    if (removed > 0) deps.out.note(`retention removed ${removed}; why: summitctl backups prune --dry-run`);
  } catch (error) {
    deps.out.warn(`the backup is good, but retention did not run to its end: ${messageOf(error)}`);
  }
}

/** A store that summit.yaml does not require may fail: that is a warning, and the backup is in the others. */
async function copyTo(
  other: ObjectStore,
  backup: StoredBackup,
  { config }: Project,
  deps: TakeBackupDeps,
): Promise<void> {
  try {
    await copyBackup(backup, other, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (config.stores.find(({ url }) => url === other.url)?.required === false) {
      deps.out.warn(`the backup is not in ${other.url}: ${messageOf(error)}`);
      return;
    }
    throw new SummitError(
      isSummitError(error) && error.kind === "verification" ? "verification" : "store",
      `backup ${backup.manifest.id} is in ${backup.store.url}, but not in ${other.url}, which is required: ${messageOf(error)}`,
      { cause: error, hint: "mend that store, then: summitctl backup" },
    );
  }
}

import type { BackupResult } from "../backup/backup-view.ts";
import type { DumpForm } from "../backup/dump-form.ts";
import { runBackup } from "../backup/run-backup.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { messageOf } from "../core/errors.ts";
import { openDatabaseHost } from "../environment/database-host.ts";
import type { Project } from "../environment/project.ts";
import { copyFurther } from "./copy-further.ts";
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
  for (const other of more) await copyFurther(other, { manifest, store }, project.config, deps);
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

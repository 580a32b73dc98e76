/**
 * Runs a backup, a restore or a fetch in a process of its own and stops for ever at a given moment, to be killed there.
 * Arguments: socket folder, store URL, then `backup DATABASE` (stops at the first bytes of the roles), `restore
 * DATABASE` (stops before the last part of the dump is handed on), `restore-on DATABASE` (does not stop) or `get FOLDER`
 * (stops before the roles).
 */
import { readBackup, readCatalog } from "../../src/backup/catalog.ts";
import { getBackup } from "../../src/backup/get-backup.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { runRestore } from "../../src/backup/run-restore.ts";
import type { DatabaseServer } from "../../src/core/ports/database-server.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { clusterShell } from "../support/postgres.ts";
import { watchedStore } from "../support/watched-store.ts";
import { backupDeps } from "./backup-fixture.ts";

const [socket = "", url = "", what, database = ""] = process.argv.slice(2);
const forever = new Promise<never>(() => setInterval(() => undefined, 1000));
const stop = async (): Promise<never> => {
  process.stdout.write("stopped\n");
  return await forever;
};
const server: DatabaseServer = {
  project: "schedule",
  environment: "production",
  generation: 1,
  unit: "postgresql/0",
  databases: [database],
  shell: clusterShell({ PGHOST: socket, PGUSER: "postgres" }),
};
const store = fileStore(url);

if (what === "backup") {
  await runBackup(
    server,
    watchedStore(store, { onFirstBytes: (key) => (key.includes("/roles-") ? stop() : undefined) }),
    backupDeps(),
  );
} else {
  const [found] = (await readCatalog(store, "schedule", "production")).backups;
  if (found === undefined) throw new Error(`no backup in ${url}`);
  const { manifest } = await readBackup(store, found);
  const stoppingAt = (isLast: (key: string) => boolean): typeof store => ({
    ...store,
    get: async (key, range) => (isLast(key) ? await stop() : await store.get(key, range)),
  });
  const isRoles = (key: string): boolean => key.includes("/roles-");
  if (what === "get") {
    await getBackup({ manifest, store: stoppingAt(isRoles) }, database, backupDeps());
  } else {
    const from = what === "restore-on" ? store : stoppingAt((key) => !isRoles(key));
    const request = { manifest, store: from, database, as: database, replace: true };
    await runRestore(server, request, backupDeps());
  }
}

/**
 * Runs a backup or a restore in a process of its own and stops for ever at a given moment, to be killed there.
 * Arguments: socket folder, store URL, then `backup DATABASE` (stops at the first bytes of the roles) or
 * `restore DATABASE` (stops before the last part of the dump is handed on).
 */
import { findBackup } from "../../src/backup/catalog.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { runRestore } from "../../src/backup/run-restore.ts";
import type { DatabaseServer } from "../../src/backup/source.ts";
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
  const { manifest } = await findBackup(store, "schedule", { id: "latest", environment: "production" });
  const get: typeof store.get = async (key, range) =>
    key.includes("/roles-") ? await store.get(key, range) : await stop();
  await runRestore(server, { manifest, store: { ...store, get }, database, as: database, replace: true }, backupDeps());
}

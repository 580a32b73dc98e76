import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { DEFAULT_FORM, type DumpForm } from "../../src/backup/dump-form.ts";
import { openFiles } from "../../src/backup/encryption/open-files.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { runRestore } from "../../src/backup/run-restore.ts";
import { generateIdentity } from "../../src/core/age-keys.ts";
import type { Shell } from "../../src/core/ports/shell.ts";
import { memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backupDeps, databasesOf } from "./backup-fixture.ts";

const { identity } = generateIdentity();
const ENCRYPTED: Partial<DumpForm> = { compression: "zstd", recipients: [identity.recipient] };
let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await startPostgres();
  await cluster.sql("postgres", "CREATE DATABASE summit");
  await cluster.sql("summit", "CREATE TABLE talk AS SELECT n, md5(n::text) FROM generate_series(1, 200000) n");
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** A shell that finds this program first. */
async function shellWith(name: string, script: string): Promise<Shell & { readonly bin: string }> {
  const bin = await mkdtemp(join(cluster.folder, "bin-"));
  await chmod(bin, 0o755);
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...cluster.shell({ env: { PATH: `${bin}:/usr/bin:/bin` } }), bin };
}

/** Processes that were started with that folder in their environment. */
const processesOf = (bin: string): string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(bin);
    } catch {
      return false;
    }
  });

test.each<[string, Partial<DumpForm>, string, string, object]>([
  [
    "SQL text is cut, by a pg_dump that says all is well",
    { content: "sql" },
    "pg_dump",
    '/usr/bin/pg_dump "$@" | head -c 100000',
    { kind: "verification", message: 'the dump of "summit" has no end: what dumps it stopped half-way' },
  ],
  [
    "age fails half-way",
    ENCRYPTED,
    "age",
    '/usr/bin/age "$@" | head -c 30000; exit 1',
    { kind: "remote", message: "age ended with exit status 1" },
  ],
  [
    "age is killed half-way",
    ENCRYPTED,
    "age",
    "head -c 100000 >/dev/null; kill -9 $$",
    { kind: "remote", message: "age ended with signal 9" },
  ],
  [
    "zstd is killed half-way",
    { compression: "zstd" },
    "zstd",
    "head -c 100000 >/dev/null; kill -9 $$",
    { kind: "remote", message: "zstd ended with signal 9" },
  ],
])("no backup when %s", async (_what, form, name, script, error) => {
  const store = memoryStore();
  const server = cluster.server(["summit"], await shellWith(name, script));
  await expect(runBackup(server, store, backupDeps(), { form: { ...DEFAULT_FORM, ...form } })).rejects.toMatchObject(
    error,
  );
  expect([...store.objects.keys()]).toEqual([]);
});

test.each([
  ["cannot be started", "exit 127", "remote"],
  ["dies before it reads its identity", "kill -9 $$", "remote"],
  ["never reads its identity, and ends", "cat >/dev/null; exit 3", "remote"],
])("a restore ends, and leaves nothing, when age %s", async (_what, script, kind) => {
  const store = memoryStore();
  const form = { ...DEFAULT_FORM, ...ENCRYPTED };
  const manifest = await runBackup(cluster.server(["summit"]), store, backupDeps(), { form });
  const keys = await openFiles({ manifest, store }, async () => [identity]);
  const before = await databasesOf(cluster);
  const shell = await shellWith("age", script);
  const server = cluster.server([], shell);
  const request = { manifest, store, keys, database: "summit", as: "copy", replace: false };
  await expect(runRestore(server, request, backupDeps())).rejects.toMatchObject({ kind });
  expect(await databasesOf(cluster)).toEqual(before);
  // Whoever was to hand the identity over does not wait for a reader any more.
  await vi.waitFor(() => expect(processesOf(shell.bin)).toEqual([]), 5000);
});

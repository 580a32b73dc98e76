import type { FileKeys } from "../../src/backup/encryption/open-files.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { type RestoreResult, runRestore } from "../../src/backup/run-restore.ts";
import type { Deps } from "../../src/core/deps.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { type FakeOutput, fakeOutput } from "../support/fake-output.ts";
import type { PostgresCluster } from "../support/postgres.ts";

export type BackupTestDeps = Pick<Deps, "now" | "signal" | "version"> & { readonly out: FakeOutput };

export const backupDeps = (over: Partial<BackupTestDeps> = {}): BackupTestDeps => ({
  out: fakeOutput(),
  now: () => new Date(),
  signal: new AbortController().signal,
  version: "0.1.0-test",
  ...over,
});

/** A backup of one database of a cluster. */
export const backUp = (cluster: PostgresCluster, store: ObjectStore, database: string): Promise<Manifest> =>
  runBackup(cluster.server([database]), store, backupDeps());

export interface RestoreInput {
  readonly manifest: Manifest;
  readonly store: ObjectStore;
  readonly database: string;
  readonly as?: string;
  readonly replace?: boolean;
  readonly keys?: FileKeys;
}

export const restore = (cluster: PostgresCluster, input: RestoreInput, deps = backupDeps()): Promise<RestoreResult> =>
  runRestore(cluster.server([]), { as: input.database, replace: false, ...input }, deps);

/** Names of a cluster's databases but its own three. */
export const databasesOf = (cluster: PostgresCluster): Promise<string[]> =>
  cluster.sql(
    "postgres",
    `SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY datname COLLATE "C"`,
  );

/** The whole database as SQL text, without the lines that are new in every dump. */
export async function dumpText(cluster: PostgresCluster, database: string, ...flags: string[]): Promise<string> {
  const text = await cluster.run(["pg_dump", ...flags, "-d", `dbname='${database.replaceAll("'", "\\'")}'`]);
  // pg_dump itself gives these lines in no fixed order.
  const sorted = (lines: string) => lines.split("\n").sort().join("\n");
  return text.replaceAll(/^\\(un)?restrict .*$/gm, "").replaceAll(/(^ALTER ROLE .* IN DATABASE .*\n)+/gm, sorted);
}

/** Lines at which two texts differ, the first ten; empty when they are equal. */
export function differences(expected: string, found: string): string[] {
  const [left, right] = [expected.split("\n"), found.split("\n")];
  const count = Math.max(left.length, right.length);
  return Array.from({ length: count }, (_, index) => [left[index], right[index]])
    .filter(([a, b]) => a !== b)
    .slice(0, 10)
    .map(([a = "(nothing)", b = "(nothing)"]) => `${a} | ${b}`);
}

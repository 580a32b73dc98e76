import type { DatabaseMember, Manifest, Member } from "../../src/backup/manifest.ts";

/** A complete manifest of a backup that nobody took. */
export const sampleManifest = (over: Partial<Manifest> = {}): Manifest => ({
  schema: "summitctl.backup.v1",
  id: "20261122T143800Z-k3x9qa",
  project: "schedule",
  environment: "production",
  generation: 1,
  summitctl: "0.1.0",
  startedAt: "2026-11-22T14:38:00.000Z",
  finishedAt: "2026-11-22T14:39:00.000Z",
  server: { version: "15.20", versionNumber: 150_020, systemIdentifier: "7", now: "2026-11-22T14:38:00.100Z" },
  clientVersion: "15.20",
  members: [
    sampleDatabase(),
    {
      kind: "roles",
      file: "roles-20261122T143800Z.sql.bz2",
      content: "sql",
      compression: "bzip2",
      plain: { bytes: 100, sha256: "3".repeat(64) },
      stored: sampleStored("4"),
    },
  ],
  ...over,
});

export const sampleDatabase = (over: Partial<DatabaseMember> = {}): DatabaseMember => ({
  kind: "database",
  database: "summit",
  file: "summit-20261122T143800Z.dump.bz2",
  content: "archive",
  compression: "bzip2",
  plain: { bytes: 100, sha256: "1".repeat(64) },
  stored: sampleStored("2"),
  snapshotAt: "2026-11-22T14:38:00.200Z",
  facts: {
    owner: "app",
    encoding: "UTF8",
    collate: "C.UTF-8",
    ctype: "C.UTF-8",
    localeProvider: "c",
    icuLocale: null,
    connectionLimit: -1,
    comment: null,
    grants: null,
    settings: [],
    extensions: [{ name: "plpgsql", version: "1.0" }],
    sizeBytes: 1000,
  },
  rows: [["public", "talk", 7]],
  ...over,
});

const sampleStored = (digit: string): Member["stored"] => ({
  bytes: 10,
  sha256: digit.repeat(64),
  partSize: 16 * 1024 * 1024,
  parts: [digit.repeat(64)],
});

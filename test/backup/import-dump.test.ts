import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readCatalog, readStanding } from "../../src/backup/catalog.ts";
import { ArchiveWatch } from "../../src/backup/import-archive.ts";
import { importDump } from "../../src/backup/import-dump.ts";
import { parseManifest } from "../../src/backup/manifest.ts";
import { memberKey } from "../../src/backup/read-member.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { isSummitError, type SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { countingBackups, judgeBackups } from "../../src/recovery/counting-backups.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backupDeps, databasesOf, differences, dumpText, restore } from "./backup-fixture.ts";

const pack = (program: string, plain: Buffer, ...flags: string[]): Buffer =>
  spawnSync(program, ["-c", ...flags], { input: plain, maxBuffer: 1e9 }).stdout;

let cluster: PostgresCluster;
let folder: string;
/** What `pg_dump summit` and `pg_dump -Fc summit` write. */
let sql: Buffer;
let archive: Buffer;
let store: MemoryStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-import-"));
  cluster = await startPostgres();
  await cluster.sql("postgres", "CREATE DATABASE summit");
  await cluster.sql(
    "summit",
    `CREATE TABLE talk (id serial PRIMARY KEY, title text UNIQUE, body text);
     INSERT INTO talk (title, body) SELECT 'talk ' || n || E'\\n\\\\connect', md5(n::text) FROM generate_series(1, 10000) n;
     CREATE TABLE empty (id int);
     CREATE VIEW titles AS SELECT title FROM talk;
     CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2';
     SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex')), lo_from_bytea(0, 'x');`,
  );
  const dump = async (...flags: string[]): Promise<Buffer> => {
    const file = join(folder, "made");
    await cluster.run(["pg_dump", ...flags, "-f", file, "-d", "summit"]);
    return await readFile(file);
  };
  sql = await dump();
  archive = await dump("-Fc", "-Z0");
}, 60_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  store = memoryStore();
});

async function fileOf(body: Buffer, name = "dump"): Promise<string> {
  const own = await mkdtemp(join(folder, "one-"));
  await writeFile(join(own, name), body);
  return join(own, name);
}

const importFile = (path: string, into: ObjectStore = store, deps = backupDeps()) =>
  importDump(
    {
      project: "schedule",
      environment: "production",
      path,
      name: basename(path),
      database: "summit",
      takenAt: new Date("2012-08-28T09:00:00Z"),
    },
    into,
    deps,
  );

const refusal = async (path: string): Promise<SummitError> => {
  const error = await importFile(path).then(
    () => expect.fail("it was imported"),
    (thrown: unknown) => thrown,
  );
  if (!isSummitError(error)) throw error;
  expect([...store.objects.keys()]).toEqual([]);
  return error;
};

test.each([
  ["SQL text", () => sql, "sql.bz2"],
  ["SQL text, bzip2, the 2012 line", () => pack("bzip2", sql), "sql.bz2"],
  ["SQL text, lbzip2", () => pack("lbzip2", sql), "sql.bz2"],
  ["SQL text, gzip", () => gzipSync(sql), "sql.bz2"],
  [
    "SQL text, two gzip files in one",
    () => Buffer.concat([gzipSync(sql.subarray(0, 9999)), gzipSync(sql.subarray(9999))]),
    "sql.bz2",
  ],
  ["SQL text, zstd", () => pack("zstd", sql), "sql.zst"],
  ["an archive", () => archive, "dump.bz2"],
  ["an archive, bzip2", () => pack("bzip2", archive), "dump.bz2"],
  ["an archive, gzip", () => gzipSync(archive), "dump.bz2"],
])("%s becomes a backup that restores to the same database", async (_what, body, extension) => {
  // A name tells nothing.
  const manifest = await importFile(await fileOf(body(), "photo.jpg"));
  const [member] = manifest.members;
  expect(member?.file.endsWith(`.${extension}`)).toBe(true);
  expect(await verifyBackup({ manifest, store }, backupDeps())).toMatchObject({ ok: true });
  const deps = backupDeps();
  await restore(cluster, { manifest, store, database: "summit", as: "back" }, deps);
  try {
    expect(differences(await dumpText(cluster, "summit"), await dumpText(cluster, "back"))).toEqual([]);
    expect(deps.out.warnings).toEqual([expect.stringContaining('rows were not compared: imported from "photo.jpg"')]);
  } finally {
    await cluster.sql("postgres", "DROP DATABASE back");
  }
});

test("what is bzip2 already is stored byte for byte", async () => {
  const body = pack("bzip2", sql, "-1");
  const manifest = await importFile(await fileOf(body));
  expect(store.objects.get(memberKey(manifest, manifest.members[0] as never))?.body.equals(body)).toBe(true);
});

test("the manifest says where it comes from, and it is kept but never latest", async () => {
  const name = "sum mit\nof 2012.sql";
  const manifest = await importFile(await fileOf(sql, name));
  expect(manifest).toMatchObject({
    generation: 0,
    imported: { file: name, packing: "plain", bytes: sql.length, takenAt: "given" },
    server: { version: expect.stringMatching(/^\d+\.\d+/), now: "2012-08-28T09:00:00.000Z" },
    members: [{ rows: [], snapshotAt: "2012-08-28T09:00:00.000Z", facts: { encoding: "UTF8" } }],
  });
  expect(Math.floor(manifest.server.versionNumber / 10_000)).toBe(Number(manifest.server.version.split(".")[0]));
  expect((await readStanding(store, manifest)).kept).toMatchObject({ reason: `imported from ${JSON.stringify(name)}` });
  const { backups } = await readCatalog(store, "schedule", undefined);
  expect(countingBackups(backups, [])).toEqual([]);
  expect(judgeBackups(backups, [])[0]?.notCounting).toBe("it was imported");
  const key = [...store.objects.keys()].find((one) => one.endsWith("manifest.json")) ?? expect.fail();
  expect(parseManifest(store.objects.get(key)?.body.toString() ?? "", key)).toEqual(manifest);
  expect([...store.objects.keys()].filter((one) => one.includes("_claims"))).toEqual([]);
});

test("a link is followed; without a time that was given, it is the file's", async () => {
  const path = await fileOf(pack("bzip2", sql));
  await utimes(path, new Date("2013-01-02T03:04:05Z"), new Date("2013-01-02T03:04:05Z"));
  await symlink(path, `${path} link`);
  const request = { project: "schedule", environment: "production", path: `${path} link`, name: "link" };
  const manifest = await importDump({ ...request, database: "summit", takenAt: undefined }, store, backupDeps());
  expect(manifest.imported?.takenAt).toBe("file");
  expect(manifest.members[0]).toMatchObject({ snapshotAt: "2013-01-02T03:04:05.000Z" });
});

describe("what is not whole is refused, and leaves nothing", () => {
  const cutAt = (body: Buffer, share: number): Buffer => body.subarray(0, Math.floor(body.length * share));
  /** Streams of their own, as pbzip2 writes them: a cut between them is no error to a decoder. */
  const inStreams = (program: string, plain: Buffer): Buffer[] =>
    [0, 1, 2].map((at) => pack(program, plain.subarray((at * plain.length) / 3, ((at + 1) * plain.length) / 3)));

  test.each<[string, () => Buffer]>([
    ["SQL at 70 %", () => cutAt(sql, 0.7)],
    ["SQL without its last line", () => sql.subarray(0, sql.lastIndexOf("-- PostgreSQL database dump complete"))],
    ["SQL with something after its end", () => Buffer.concat([sql, Buffer.from("DROP TABLE x;\n")])],
    ["bzip2 at 70 %", () => cutAt(pack("bzip2", sql), 0.7)],
    ["bzip2 less one byte", () => pack("bzip2", sql).subarray(0, -1)],
    ["bzip2 cut at a block's end", () => Buffer.concat(inStreams("bzip2", sql).slice(0, 2))],
    ["bzip2, small and cut in its first block", () => cutAt(pack("bzip2", sql.subarray(0, 5000)), 0.5)],
    ["gzip at 70 %", () => cutAt(gzipSync(sql), 0.7)],
    ["gzip less one byte", () => gzipSync(sql).subarray(0, -1)],
    ["zstd at 70 %", () => cutAt(pack("zstd", sql), 0.7)],
    ["zstd less one byte", () => pack("zstd", sql).subarray(0, -1)],
    // All of it was unpacked by then: only how the program ended tells.
    ["zstd with something behind it", () => Buffer.concat([pack("zstd", sql), Buffer.from("and more")])],
    ["zstd cut at a frame's end", () => Buffer.concat(inStreams("zstd", sql).slice(0, 2))],
    ["an archive at 70 %", () => cutAt(archive, 0.7)],
    ["an archive less one byte", () => archive.subarray(0, -1)],
    ["an archive in its table of contents", () => archive.subarray(0, 900)],
    ["an archive with one byte more", () => Buffer.concat([archive, Buffer.from([1])])],
    ["an archive, bzip2, cut at a block's end", () => Buffer.concat(inStreams("bzip2", archive).slice(0, 2))],
    ["bzip2 with a bit that flipped", () => flipped(pack("bzip2", sql))],
  ])("%s", async (_what, body) => {
    expect(await refusal(await fileOf(body()))).toMatchObject({ kind: "verification" });
  });

  test("an archive, at every byte, and so exactly between its blocks too", async () => {
    const file = join(folder, "small");
    await cluster.run(["pg_dump", "-Fc", "-Z0", "-t", "empty", "-t", "talk_id_seq", "-f", file, "-d", "summit"]);
    const small = await readFile(file);
    const judge = (body: Buffer): string => {
      const watch = new ArchiveWatch();
      try {
        watch.add(body);
        watch.end();
        return "whole";
      } catch (error) {
        return isSummitError(error) ? `${error.kind}: ${error.message}` : String(error);
      }
    };
    const found = new Set(Array.from({ length: small.length - 5 }, (_, less) => judge(small.subarray(0, -less - 1))));
    expect([...found].sort()).toEqual([
      "verification: the dump is cut: it ends in the middle",
      "verification: the dump is cut: the data of 1 tables is missing",
    ]);
    expect(judge(small)).toBe("whole");
  });

  const flipped = (body: Buffer): Buffer => {
    const copy = Buffer.from(body);
    const at = Math.floor(copy.length / 2);
    copy.writeUInt8(copy.readUInt8(at) ^ 4, at);
    return copy;
  };
});

describe("what is no dump of one database is refused, and leaves nothing", () => {
  const tar = (): Buffer => spawnSync("tar", ["-C", folder, "-c", "made"]).stdout;
  test.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ["an empty file", () => Buffer.alloc(0), "nothing was written into it"],
    ["pg_dump missing | bzip2, 14 bytes", () => pack("bzip2", Buffer.alloc(0)), "nothing was written into it"],
    ["random bytes", () => randomBytes(100_000), "no dump"],
    ["a tar archive", tar, "a tar archive"],
    ["pg_dump -Ft", () => made("pg_dump", "-Ft", "summit"), "a tar archive"],
    ["xz", () => pack("xz", sql), "is xz"],
    ["pg_dumpall", () => made("pg_dumpall"), "whole server"],
    ["pg_dump --create", () => made("pg_dump", "-C", "summit"), "\\connect"],
    ["a shell command of psql", () => Buffer.concat([sql.subarray(0, 70_000), Buffer.from("\n\\! id\n"), sql]), "\\!"],
  ])("%s", async (_what, body, words) => {
    const bytes = await body();
    const error = await refusal(await fileOf(bytes));
    expect(error).toMatchObject({ kind: "check", message: expect.stringContaining(words) });
    expect(error.hint).toBeDefined();
  });
  const made = async (...argv: [string, ...string[]]): Promise<Buffer> => {
    const file = join(folder, "other");
    await cluster.run([...argv, "-f", file]);
    return await readFile(file);
  };

  test("a folder, and a file that is not there", async () => {
    const path = join(folder, "a folder");
    await mkdir(path);
    expect(await refusal(path)).toMatchObject({ kind: "usage", message: expect.stringContaining("it is a folder") });
    expect(await refusal(`${path}/no`)).toMatchObject({ kind: "usage" });
  });
});

test("a file that grows while it is read is refused", async () => {
  const path = await fileOf(sql);
  const slow: ObjectStore = {
    ...store,
    put: async (key, body, signal) => {
      if (key.includes("summit-")) await writeFile(path, Buffer.concat([sql, sql]));
      return await store.put(key, body, signal);
    },
  };
  await expect(importFile(path, slow)).rejects.toMatchObject({ kind: "check" });
  expect([...store.objects.keys()]).toEqual([]);
});

test("an abort leaves nothing, and is told as one", async () => {
  const abort = new AbortController();
  const reason = new Error("stopped");
  const path = await fileOf(sql);
  const aborting: ObjectStore = {
    ...store,
    put: async (key, body, signal) => {
      if (key.includes("summit-")) setImmediate(() => abort.abort(reason));
      return await store.put(key, body, signal);
    },
  };
  await expect(importFile(path, aborting, backupDeps({ signal: abort.signal }))).rejects.toBe(reason);
  expect([...store.objects.keys()]).toEqual([]);
  expect(await databasesOf(cluster)).toEqual(["summit"]);
});

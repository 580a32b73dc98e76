import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildIndexesArgv, loadDataArgv } from "../../src/backup/load-lines.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backUp, backupDeps, databasesOf, differences, dumpText, restore } from "./backup-fixture.ts";

/** Nobody else's processes and databases are called like this. */
const SLOW = `slow_${randomBytes(4).toString("hex")}`;

let cluster: PostgresCluster;
let folder: string;

beforeAll(async () => {
  cluster = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), "summit-load-"));
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const make = async (name: string, sql: string): Promise<void> => {
  await cluster.sql("postgres", `CREATE DATABASE ${name} TEMPLATE template0`);
  await cluster.sql(name, sql);
};

/** Folders of loads that are still there, and programs that work on that database. */
const left = async (database: string): Promise<string> => {
  const { stdout } = await execa("sh", [
    "-c",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shell text
    'pgrep -af "^[^ ]*pg_restore.*$1"; for d in /tmp/summitctl-archive-*; do [ ! -e "$d" ] || [ -d "/proc/${d##*-}" ] || echo "$d"; done; true',
    "sh",
    database,
  ]);
  return stdout;
};

describe("what is kept of an archive", () => {
  /** Loads an archive as a restore does, and tells how much was kept. */
  async function load(from: string, into: string): Promise<{ archive: number; kept: number }> {
    const [archive, head] = [join(folder, `${from}.dump`), join(folder, `${from}.head`)];
    // As it comes from a pipe, without the places of the data in it.
    await execa("sh", ["-c", `pg_dump -Fc -Z0 -d "$1" | cat >"$2"`, "sh", from, archive], { env: cluster.env });
    await cluster.sql("postgres", `CREATE DATABASE ${into} TEMPLATE template0`);
    const [program, ...args] = loadDataArgv(into, head);
    await execa(program, args, { env: cluster.env, inputFile: archive });
    const [builder, ...more] = buildIndexesArgv(into, head, 2);
    // An input that does not end: its end would end the work.
    await execa(builder, more, { env: cluster.env, stdin: "pipe" });
    const size = async (file: string) => Number((await execa("stat", ["-c", "%s", file])).stdout);
    return { archive: await size(archive), kept: await size(head) };
  }

  test("is a mebibyte, however much data there is", async () => {
    await make(
      "big",
      "CREATE TABLE talk AS SELECT n, repeat(md5(n::text), 4) AS title FROM generate_series(1, 60000) n; CREATE UNIQUE INDEX ON talk (n)",
    );
    const { archive, kept } = await load("big", "big_again");
    expect(archive).toBeGreaterThan(8_000_000);
    expect(kept).toBe(1024 * 1024);
    expect(differences(await dumpText(cluster, "big"), await dumpText(cluster, "big_again"))).toEqual([]);
  });

  test("grows until the table of contents is whole", async () => {
    // Each comment is an entry of its own there.
    await make(
      "wide",
      `SELECT format('CREATE TABLE t%s (n int PRIMARY KEY, r int REFERENCES t%s); COMMENT ON TABLE t%s IS %L; INSERT INTO t%s VALUES (1, 1)', n, n, n, repeat(md5(n::text), 60), n) FROM generate_series(1, 600) n \\gexec
       CREATE TABLE talk AS SELECT n, repeat(md5(n::text), 4) AS title FROM generate_series(1, 20000) n`,
    );
    const { archive, kept } = await load("wide", "wide_again");
    expect(kept).toBe(2 * 1024 * 1024);
    expect(archive).toBeGreaterThan(kept);
    expect(differences(await dumpText(cluster, "wide"), await dumpText(cluster, "wide_again"))).toEqual([]);
  });

  test("is all of an archive of nothing", async () => {
    await make("nothing", "SELECT 1");
    const { archive, kept } = await load("nothing", "nothing_again");
    expect(kept).toBe(archive);
    expect(differences(await dumpText(cluster, "nothing"), await dumpText(cluster, "nothing_again"))).toEqual([]);
  });

  test("must have been kept, by programs that each say that they succeeded", async () => {
    const inputFile = join(folder, "big.dump");
    const bin = await mkdtemp(join(folder, "bin-"));
    await writeFile(join(bin, "cat"), "#!/bin/sh\n[ $# -gt 0 ] || trap 'exit 3' EXIT\n/bin/cat \"$@\"\n", {
      mode: 0o755,
    });
    for (const [head, env] of [
      ["/dev/full", cluster.env],
      [join(folder, "doubted"), { ...cluster.env, PATH: `${bin}:${process.env["PATH"]}` }],
    ] as const) {
      await cluster.sql("postgres", "CREATE DATABASE doubted TEMPLATE template0");
      const [program, ...args] = loadDataArgv("doubted", head);
      const run = await execa(program, args, { env, inputFile, reject: false });
      expect([run.exitCode, run.stderr]).toEqual([head === "/dev/full" ? 1 : 91, expect.any(String)]);
      await cluster.sql("postgres", "DROP DATABASE doubted");
    }
  });
});

test("an empty database is backed up and restored", async () => {
  await make("empty", "SELECT 1");
  const store = memoryStore();
  const manifest = await backUp(cluster, store, "empty");
  expect(await restore(cluster, { manifest, store, database: "empty", as: "empty_too" })).toMatchObject({
    totalRows: 0,
  });
});

describe("a load that is cut", () => {
  let store: ObjectStore;
  let url: string;
  let manifest: Manifest;

  beforeAll(async () => {
    url = pathToFileURL(join(folder, "store")).href;
    store = fileStore(url);
    // Each row takes half a second to load, and again to be indexed.
    const slowly = "LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM pg_sleep(0.5); RETURN n; END $f$";
    await make(
      SLOW,
      `CREATE FUNCTION slow(n int) RETURNS int ${slowly};
       CREATE TABLE item (n int CHECK (slow(n) > 0)); INSERT INTO item VALUES (1), (2), (3), (4);
       CREATE INDEX item_slow ON item (slow(n)); CREATE TABLE plain (n int); CREATE UNIQUE INDEX ON plain (n)`,
    );
    manifest = await backUp(cluster, store, SLOW);
  });
  afterEach(async () => {
    for (const name of await databasesOf(cluster))
      if (name.startsWith(`${SLOW}_`)) await cluster.sql("postgres", `DROP DATABASE "${name}" WITH (FORCE)`);
  });

  /** Resolves when a session of a restore into that database does that. */
  async function reached(what: string, incoming = `${SLOW}_incoming`): Promise<void> {
    const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${incoming}' AND state = 'active' AND query LIKE '${what}%'`;
    while ((await cluster.sql("postgres", query))[0] === "0") await delay(20);
  }

  const again = async (): Promise<void> => {
    const { kept } = await restore(cluster, { manifest, store, database: SLOW, replace: true });
    expect(differences(await dumpText(cluster, kept as string), await dumpText(cluster, SLOW))).toEqual([]);
    await cluster.sql("postgres", `DROP DATABASE "${kept}"`);
    expect(await left(SLOW)).toBe("");
  };

  const MOMENTS = [
    ["in the data", "COPY", "pg_restore ended with signal 9"],
    ["in the indexes", "CREATE INDEX", "pg_restore ended with signal 9 after the data was loaded"],
  ] as const;

  test.each(MOMENTS)("pg_restore is killed %s", async (_when, what, message) => {
    const run = restore(cluster, { manifest, store, database: SLOW, as: `${SLOW}_copy` }).catch(
      (error: unknown) => error,
    );
    const incoming = `${SLOW}_copy_incoming`;
    await reached(what, incoming);
    await execa("pkill", ["-KILL", "-o", "-f", `^[^ ]*pg_restore.*${incoming}`]);
    expect(await run).toMatchObject({ kind: "remote", message });
    expect(await databasesOf(cluster)).not.toContain(incoming);
    expect(await left(incoming)).toBe("");
    await again();
  });

  test.each(MOMENTS)("summitctl is killed %s", async (_when, what) => {
    const script = fileURLToPath(new URL("./cut-short.ts", import.meta.url));
    const args = ["--import", "tsx", script, cluster.folder, url, "restore-on", SLOW];
    const child = spawn(process.execPath, args, { stdio: "inherit" });
    await reached(what);
    child.kill("SIGKILL");
    await once(child, "exit");
    // Nothing of it works on without anybody who waits for it.
    for (const until = Date.now() + 8000; Date.now() < until && (await left(SLOW)) !== ""; ) await delay(50);
    expect(await left(SLOW)).toBe("");
    expect(await databasesOf(cluster)).toContain(`${SLOW}_incoming`);
    expect(await cluster.sql(`${SLOW}_incoming`, "SELECT to_regclass('item_slow')")).toEqual([""]);
    await again();
    expect(await databasesOf(cluster)).not.toContain(`${SLOW}_incoming`);
  });

  test.each(MOMENTS)("it is aborted %s", async (_when, what) => {
    const abort = new AbortController();
    const deps = backupDeps({ signal: abort.signal });
    const run = restore(cluster, { manifest, store, database: SLOW, replace: true }, deps).catch(
      (error: unknown) => error,
    );
    await reached(what);
    const reason = new Error("enough");
    abort.abort(reason);
    expect(await run).toBe(reason);
    expect(await left(SLOW)).toBe("");
    expect(await databasesOf(cluster)).not.toContain(`${SLOW}_incoming`);
    await again();
  });
});

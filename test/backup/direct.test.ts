import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Manifest } from "../../src/backup/manifest.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { StoredMeter } from "../../src/backup/stored-meter.ts";
import type { Argv } from "../../src/core/argv.ts";
import type { DatabaseServer } from "../../src/core/ports/database-server.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { s3Store } from "../../src/providers/stores/s3.ts";
import { type Exchange, type Fault, type FaultyHttp, startFaultyHttp } from "../support/faulty-http.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { type S3Server, type TestBucket, testBucket } from "../support/s3-server.ts";
import { startSwift } from "../support/swift.ts";
import { backUp, backupDeps, databasesOf, dumpText, restore } from "./backup-fixture.ts";

// The "machine" is this computer, by the same scripts; it reaches the store through a proxy that hurts its requests.

describe("straight between the machine and the store", () => {
  let cluster: PostgresCluster;
  let server: S3Server;
  let faulty: FaultyHttp;
  let bucket: TestBucket;
  let store: ObjectStore;
  let whole: Manifest;

  beforeAll(async () => {
    [cluster, server] = await Promise.all([startPostgres(), startSwift()]);
    faulty = await startFaultyHttp(server.endpoint);
    bucket = await testBucket(server, faulty.endpoint);
    store = s3Store(bucket.settings);
    await cluster.sql("postgres", "CREATE DATABASE big");
    await cluster.sql("big", NOISE);
    whole = await backUp(cluster, store, "big");
  }, 120_000);
  afterEach(() => {
    faulty.fault = () => undefined;
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await faulty?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const isPart = ({ method, query }: Exchange) => method === "PUT" && query.get("partNumber") === "2";
  const isPiece = ({ method, query }: Exchange) => method === "GET" && query.has("X-Amz-Signature");
  const times = (count: number, which: (exchange: Exchange) => boolean, fault: Fault) => {
    let left = count;
    faulty.fault = (exchange) => (which(exchange) && left-- > 0 ? fault : undefined);
  };
  const ids = async () => (await bucket.names()).filter((name) => name.endsWith("/manifest.json"));

  test("a dump in several parts comes back as it was, and it is said which way it took", async () => {
    const deps = backupDeps();
    const manifest = await runBackup(cluster.server(["big"]), store, deps);
    expect(deps.out.tasks[0]?.text).toMatch(/straight to the store$/);
    expect(deps.out.notes).toEqual([]);
    const [member] = manifest.members;
    expect(member?.stored.parts).toHaveLength(2);
    expect(await bucket.uploads()).toEqual([]);
    let pieces = 0;
    faulty.fault = (exchange) => {
      if (isPiece(exchange)) pieces += 1;
      return undefined;
    };
    const result = await restore(cluster, { manifest, store, database: "big", as: "again" });
    // The probe, and a request for each piece.
    expect(pieces).toBe(3);
    expect(result.totalRows).toBe(ROWS);
    expect(await dumpText(cluster, "again")).toBe(await dumpText(cluster, "big"));
    await cluster.sql("postgres", "DROP DATABASE again");
  });

  test("the machine hashes what is stored, as this computer would", async () => {
    const [member] = whole.members;
    const meter = new StoredMeter();
    for await (const chunk of await store.get(`schedule/production/${whole.id}/${member?.file}`)) meter.add(chunk);
    expect(member?.stored).toEqual(meter.measure());
  });

  test.each<[string, number, Fault]>([
    ["asked to slow down, three times", 3, { status: 503, code: "SlowDown" }],
    ["an internal error", 1, { status: 500, code: "InternalError" }],
    ["a connection that is cut", 2, "cut"],
    ["an answer that is lost", 1, "lose answer"],
    ["a byte that changes on the way", 1, "damage"],
    ["a signature that had expired", 1, { status: 403, code: "AccessDenied" }],
  ])("a part: %s, and the backup is made", async (_what, count, fault) => {
    times(count, isPart, fault);
    const hurt = faulty.hurt();
    const manifest = await backUp(cluster, store, "big");
    expect(faulty.hurt() - hurt).toBe(count);
    const result = await restore(cluster, { manifest, store, database: "big", as: "again" });
    expect(result.totalRows).toBe(ROWS);
    await cluster.sql("postgres", "DROP DATABASE again");
    expect(await bucket.uploads()).toEqual([]);
  });

  test("a part that is refused for good: no backup, no upload, and what the store said", async () => {
    const before = await ids();
    times(99, isPart, { status: 403, code: "ExpiredToken" });
    await expect(backUp(cluster, store, "big")).rejects.toMatchObject({
      kind: "store",
      message: expect.stringMatching(/refused part 2 from .* 2 times: 403 ExpiredToken$/),
      hint: expect.any(String),
    });
    expect(await ids()).toEqual(before);
    expect(await bucket.uploads()).toEqual([]);
  });

  test("an ETag that is not the part's: no backup", async () => {
    const before = await ids();
    times(1, isPart, "wrong etag");
    await expect(backUp(cluster, store, "big")).rejects.toMatchObject({ kind: "store" });
    expect([await ids(), await bucket.uploads()]).toEqual([before, []]);
  });

  test.each([
    ["pg_dump", "pg_dump", "--format=custom"],
    ["the compressor", "lbzip2", "-c"],
    ["what sends", "python3", "part=number"],
  ])("%s is killed on the way: no backup, no upload", async (_what, program, argument) => {
    const before = await ids();
    const backup = backUp(cluster, store, "big").catch((error: unknown) => error);
    await vi.waitUntil(() => killIn(cluster, program, argument), { timeout: 15_000, interval: 5 });
    expect(await backup).toMatchObject({ kind: "remote", message: expect.stringMatching(/ended with signal 9$/) });
    expect([await ids(), await bucket.uploads()]).toEqual([before, []]);
  });

  test("an abort ends the machine's side, and no upload is left", async () => {
    const before = await ids();
    const abort = new AbortController();
    const reason = new Error("ctrl-c");
    faulty.fault = (exchange) => {
      if (isPart(exchange)) abort.abort(reason);
      return undefined;
    };
    const deps = backupDeps({ signal: abort.signal });
    await expect(runBackup(cluster.server(["big"]), store, deps)).rejects.toBe(reason);
    expect([await ids(), await bucket.uploads()]).toEqual([before, []]);
  });

  test("the machine does not reach the store: through this computer, and why is said", async () => {
    faulty.fault = ({ path }) => (path.endsWith("_probe/reach") ? "cut" : undefined);
    const deps = backupDeps();
    const manifest = await runBackup(cluster.server(["big"]), store, deps);
    const why = /^the dump goes through this computer: .* does not reach s3:/;
    expect(deps.out.notes).toEqual([expect.stringMatching(why)]);
    const result = await restore(cluster, { manifest, store, database: "big", as: "again" });
    expect(result.totalRows).toBe(ROWS);
    await cluster.sql("postgres", "DROP DATABASE again");
  });

  test.each<[string, number, Fault]>([
    ["asked to slow down, three times", 3, { status: 503, code: "SlowDown" }],
    ["a connection that is cut", 2, "cut"],
    ["half of an answer, then a cut", 1, "half answer"],
    ["an answer that is too short", 1, "short answer"],
    ["a signature that had expired", 1, { status: 403, code: "AccessDenied" }],
  ])("a piece: %s, and the restore goes on", async (_what, count, fault) => {
    const isSecond = (exchange: Exchange) => isPiece(exchange) && !exchange.path.endsWith("_probe/reach");
    times(count, isSecond, fault);
    const result = await restore(cluster, { manifest: whole, store, database: "big", as: "again" });
    expect(result.totalRows).toBe(ROWS);
    await cluster.sql("postgres", "DROP DATABASE again");
  });

  test("a piece that is not what was stored never reaches the decompressor, and nothing is left of the restore", async () => {
    const [member] = whole.members;
    const name = (await bucket.names()).find((one) => one.endsWith(`/${whole.id}/${member?.file}`));
    const target = { Bucket: bucket.settings.bucket, Key: name ?? "" };
    const stored = await bucket.client.send(new GetObjectCommand(target));
    const body = Buffer.from((await stored.Body?.transformToByteArray()) ?? []);
    const damaged = Buffer.from(body);
    damaged[17 * 1024 * 1024] = (damaged[17 * 1024 * 1024] ?? 0) ^ 1;
    await bucket.client.send(new PutObjectCommand({ ...target, Body: damaged }));
    const before = await databasesOf(cluster);
    await expect(restore(cluster, { manifest: whole, store, database: "big", as: "again" })).rejects.toMatchObject({
      kind: "verification",
      message: expect.stringContaining("part 2 of 2"),
    });
    expect(await databasesOf(cluster)).toEqual(before);
    await bucket.client.send(new PutObjectCommand({ ...target, Body: body }));
  });

  test("no URL, which lets in whoever has it, is in an argv or in what is said", async () => {
    const seen: string[] = [];
    const noted = (argv: Argv): Argv => {
      seen.push(argv.join(" "));
      return argv;
    };
    const { shell, ...rest } = cluster.server(["big"]);
    const listening: DatabaseServer = {
      ...rest,
      shell: {
        ...shell,
        run: (argv, options) => shell.run(noted(argv), options),
        open: (argv, options) => shell.open(noted(argv), options),
      },
    };
    const deps = backupDeps();
    await runBackup(listening, store, deps);
    const said = JSON.stringify([seen, deps.out]);
    expect(said).toContain("pg_dump");
    expect(said).not.toContain("X-Amz");
  });
});

/** Kills the first process of that name and with that in its arguments which runs on behalf of the cluster. */
function killIn({ folder }: PostgresCluster, program: string, argument: string): boolean {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!basename(argv.split("\0")[0] ?? "").startsWith(program) || !argv.includes(argument)) continue;
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(`PGHOST=${folder}`)) continue;
      process.kill(Number(pid), "SIGKILL");
      return true;
    } catch {
      // It ended meanwhile.
    }
  }
  return false;
}

const ROWS = 1200;
/** Random, so that it does not compress: more than one part of 16 MiB. */
const NOISE = `CREATE TABLE noise AS SELECT n, decode(string_agg(md5(random()::text), ''), 'hex') AS bytes
  FROM generate_series(1, ${ROWS}) n, generate_series(1, 1024) GROUP BY n`;

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runBackup } from "../../src/backup/run-backup.ts";
import { openSqlSession } from "../../src/backup/sql-session.ts";
import { watchBlocked } from "../../src/backup/watch-blocked.ts";
import { memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { watchedStore } from "../support/watched-store.ts";
import { backUp, backupDeps } from "./backup-fixture.ts";

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await startPostgres();
  await cluster.sql("postgres", "CREATE DATABASE summit");
  // Big enough that a dump cannot end while nobody reads it: 20 MB.
  await cluster.sql(
    "summit",
    "CREATE TABLE talk AS SELECT n, repeat(md5(n::text), 4) AS title FROM generate_series(1, 150000) n",
  );
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const waiting = async (count: number): Promise<void> => {
  const query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  while (Number((await cluster.sql("postgres", query))[0]) < count) await delay(20);
};

/** An ALTER TABLE that waits for a lock on the table, and a reader that waits behind it. */
async function queue(): Promise<Promise<string[]>[]> {
  const alter = cluster.sql("summit", "ALTER TABLE talk ADD COLUMN IF NOT EXISTS secret text DEFAULT 'hunter2'");
  await waiting(1);
  const reader = cluster.sql("summit", "SELECT count(*) FROM talk");
  await waiting(2);
  for (const one of [alter, reader]) one.catch(() => undefined);
  return [alter, reader];
}

test("a dump gives way to those who wait behind it, with its counts, and there is no backup", async () => {
  const memory = memoryStore();
  let queued: Promise<string[]>[] = [];
  const store = watchedStore(memory, {
    onFirstBytes: async (key) => {
      if (!key.includes(".dump")) return;
      queued = await queue();
      // Both end although the dump has not been read any further: its locks are gone.
      await Promise.all(queued);
    },
  });
  const deps = backupDeps();
  const run = runBackup(cluster.server(["summit"]), store, deps, { yieldAfter: 0.5 });
  await expect(run).rejects.toMatchObject({
    kind: "locked",
    message: expect.stringMatching(/^the dump of "summit" gave way to .* waited .* s behind it$/),
    details: [
      expect.stringMatching(/AccessExclusiveLock on public\.talk, to run: ALTER TABLE talk .* DEFAULT '…'$/),
      expect.stringMatching(/AccessShareLock on public\.talk, to run: SELECT count\(\*\) FROM talk/),
    ],
    hint: expect.stringContaining("on_blocking"),
  });
  expect(await queued[1]).toEqual(["150000"]);
  expect(memory.objects.size).toBe(0);
  const others = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'summitctl backup%'";
  expect(await cluster.sql("postgres", others)).toEqual(["0"]);
  expect((await backUp(cluster, memory, "summit")).members).toHaveLength(2);
});

test("nobody is told of, and nothing gives way, when nobody waits", async () => {
  const deps = backupDeps();
  await runBackup(cluster.server(["summit"]), memoryStore(), deps, { yieldAfter: 0 });
  expect(deps.out.warnings).toEqual([]);
});

test("who waits is told of once, directly behind or not, without what may be secret", async () => {
  const deps = backupDeps();
  const server = cluster.server([]);
  const watch = { database: "summit", application: "holder", yieldAfter: undefined, warnAfter: 0.2, every: 50 };
  const queued = await watchBlocked(server, watch, deps, async () => {
    await using holder = await openSqlSession(server.shell, "summit");
    await holder.query("SET application_name = 'holder'; BEGIN; LOCK TABLE public.talk IN ACCESS SHARE MODE");
    const both = await queue();
    while (deps.out.warnings.length < 2) await delay(20);
    await delay(300);
    return both;
  });
  await Promise.all(queued);
  expect(deps.out.warnings).toEqual([
    expect.stringMatching(
      /^behind the dump of "summit", for [\d.]+ s now: postgres \(psql, process \d+\) waits for Acc/,
    ),
    expect.stringMatching(/AccessShareLock on public\.talk, to run: SELECT count/),
  ]);
  expect(deps.out.warnings.join("\n")).not.toContain("hunter2");
});

test("a watch that cannot be kept does not hurt the work", async () => {
  const deps = backupDeps();
  const watch = { database: "nowhere", application: "holder", yieldAfter: 0 };
  expect(await watchBlocked(cluster.server([]), watch, deps, async () => await delay(500, "done"))).toBe("done");
  expect(deps.out.warnings).toEqual([expect.stringContaining("is not watched")]);
});

test("an abort of all is not taken for giving way", async () => {
  const abort = new AbortController();
  const deps = backupDeps({ signal: abort.signal });
  const watch = { database: "summit", application: "holder", yieldAfter: 0 };
  const run = watchBlocked(cluster.server([]), watch, deps, async (signal) => {
    abort.abort(new Error("enough"));
    signal.throwIfAborted();
  });
  await expect(run).rejects.toThrow("enough");
  expect(deps.out.warnings).toEqual([]);
});

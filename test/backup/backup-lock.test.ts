import { afterAll, beforeAll, expect, test } from "vitest";
import { takeBackupLock } from "../../src/backup/backup-lock.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backupDeps } from "./backup-fixture.ts";

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await startPostgres();
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const take = (wait: number, deps = backupDeps(), holder = "summitctl backup one ann@laptop") =>
  takeBackupLock(cluster.server([]), { holder, wait }, deps);
const sessions = () =>
  cluster.sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'summitctl%'");

test("who comes second is told who has it and since when", async () => {
  await using _first = await take(0);
  const deps = backupDeps();
  await expect(take(0, deps)).rejects.toMatchObject({
    kind: "locked",
    message: expect.stringMatching(/ is running: summitctl backup one ann@laptop, since 20\d\d-.*Z$/),
    details: [expect.stringMatching(/^it began .* ago$/)],
    hint: expect.stringContaining("--lock-wait"),
  });
  expect(deps.out.tasks).toEqual([]);
  expect(await sessions()).toEqual(["1"]);
});

test("a name that is longer than the server keeps, and odd, is cut", async () => {
  await using _first = await take(0, backupDeps(), `it's "☃" \\ ${"ü".repeat(200)}`);
  await expect(take(0)).rejects.toMatchObject({ message: expect.stringContaining("is running: it's \"") });
});

test("it waits, with progress, and has it when the first one ends", async () => {
  const first = await take(0);
  const deps = backupDeps();
  const second = take(60, deps);
  while ((deps.out.tasks[0]?.progress.length ?? 0) < 2) await new Promise((resolve) => setImmediate(resolve));
  await first[Symbol.asyncDispose]();
  await using session = await second;
  expect(deps.out.tasks[0]).toMatchObject({
    title: "wait for another backup of production postgresql/0",
    state: "done",
  });
  expect(deps.out.tasks[0]?.progress[0]?.text).toMatch(/^1 min left: summitctl backup one ann@laptop, since /);
  expect(await session.query("SELECT 1")).toEqual(["1"]);
  await expect(take(0)).rejects.toMatchObject({ kind: "locked" });
});

test("it gives up when the time is over, by the clock that it was given", async () => {
  await using _first = await take(0);
  let minutes = 0;
  const deps = backupDeps({ now: () => new Date(60_000 * minutes++) });
  await expect(take(120, deps)).rejects.toMatchObject({ kind: "locked" });
  expect(deps.out.tasks[0]?.state).toBe("failed");
  expect(await sessions()).toEqual(["1"]);
});

test("an abort ends the wait", async () => {
  await using _first = await take(0);
  const abort = new AbortController();
  const deps = backupDeps({ signal: abort.signal });
  const second = take(60, deps).catch((error: unknown) => error);
  while (deps.out.tasks.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error("enough");
  abort.abort(reason);
  expect(await second).toBe(reason);
  expect(deps.out.tasks[0]?.state).toBe("failed");
});

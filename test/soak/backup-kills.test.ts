import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type CliRun, LiveProject } from "../support/live-project.ts";
import { podman, tryPodman } from "../support/podman.ts";

// At each tenth of the way something that takes part is killed. No backup that is not whole may ever be seen, the
// newest one stays, what came of the cut is said, and the next run is as if nothing had been.

const TENTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
/** Ended by SIGKILL: ourselves, or the oldest process of that name on the database machine. */
const VICTIMS = ["summitctl", "pg_dump", "lbzip2", "python3", "pg_restore", "psql", "sshd: summit@notty"] as const;

let live: LiveProject;
let dump: string;
const usual: Record<string, number> = {};
const counts: Record<string, Record<string, number>> = {};

beforeAll(async () => {
  live = await LiveProject.open();
  await live.must(["bootstrap", "-e", "production"]);
  const load = ["sudo", "manage-summit", "generate_schedule", "--size", "60MB", "--seed", "1"];
  await live.on("production", "summit/0", load);
  for (const [name, args] of [
    ["backup", ["backup"]],
    ["restore", ["restore", "latest", "--to", "production", "--replace", "--yes"]],
  ] as const) {
    const began = Date.now();
    await live.must(args);
    usual[name] = Date.now() - began;
  }
  dump = await live.dump("production", "pg_dump", "summit");
});
afterEach(() => expectSame());
afterAll(async () => {
  console.table(counts);
  await live?.[Symbol.asyncDispose]();
});

async function expectSame(): Promise<void> {
  expect(await live.dump("production", "pg_dump", "summit")).toBe(dump);
}

/** Runs it and kills the victim at that tenth of the usual time. */
async function cutRun(args: readonly string[], victim: (typeof VICTIMS)[number], tenth: number): Promise<CliRun> {
  const wait = ((usual[args[0] ?? ""] ?? 0) * tenth) / 10.5;
  const machine = live.machine("production", "postgresql/0");
  let ours: (signal: NodeJS.Signals) => void = () => undefined;
  const run = live.run([...args, "--json"], {
    onStart: (child) => {
      ours = (signal) => child.kill(signal);
    },
  });
  await delay(wait);
  if (victim === "summitctl") ours("SIGKILL");
  else await tryPodman("exec", machine, "pkill", "-KILL", "-o", "-f", `^[^ ]*${victim}`);
  const result = await run;
  const outcome = result.exit === 0 ? "came too late or was not there" : `ended with ${result.exit}`;
  const row = `${args[0]}: ${victim}`;
  counts[row] ??= {};
  counts[row][outcome] = (counts[row][outcome] ?? 0) + 1;
  return result;
}

/** Ids of all backups that are seen; whatever else is in the store belongs to one of them. */
async function ids(): Promise<string[]> {
  const { exit, last, stdout } = await live.run(["backups", "list", "--json"]);
  expect(exit, stdout).toBe(0);
  return last.stores[0].backups.map(({ manifest }: { manifest: { id: string } }) => manifest.id).sort();
}

const foldersOf = (keys: readonly string[]): string[] => [
  // State and the store's own mark belong to no backup.
  ...new Set(keys.filter((key) => !key.includes("/_state/")).map((key) => key.split("/")[2] ?? "")),
];

describe("a backup", () => {
  const victims = VICTIMS.filter((victim) => victim !== "pg_restore");
  test.each(victims.flatMap((victim) => TENTHS.map((tenth) => [victim, tenth] as const)))(
    "%s is killed at %i tenths: nothing that is no backup is seen, and the next run is clean",
    async (victim, tenth) => {
      const before = await ids();
      const { exit, last } = await cutRun(["backup"], victim, tenth);
      const after = await ids();
      const made = after.filter((id) => !before.includes(id));
      expect(after).toEqual(expect.arrayContaining(before));
      // A kill between the manifest and the last word makes a backup that nobody was told of; it is a whole one.
      if (victim !== "summitctl") expect([exit === 0, made.length]).toEqual([exit === 0, exit === 0 ? 1 : 0]);
      if (exit !== 0 && victim !== "summitctl")
        expect(last).toMatchObject({ hint: expect.any(String), message: expect.any(String) });
      await live.must(["backup"]);
      expect(foldersOf(await live.stored()).sort()).toEqual((await ids()).sort());
      expect(await live.temporary()).toEqual([]);
      expect(await podman("exec", live.machine("production", "postgresql/0"), "sh", "-c", LEFT)).toBe("");
    },
  );
});

describe("a restore", () => {
  const victims = VICTIMS.filter((victim) => victim !== "pg_dump");
  const restore = ["restore", "latest", "--to", "production", "--replace", "--yes"];
  test.each(victims.flatMap((victim) => TENTHS.map((tenth) => [victim, tenth] as const)))(
    "%s is killed at %i tenths: what was there is there, and the next run completes",
    async (victim, tenth) => {
      const { exit } = await cutRun(restore, victim, tenth);
      if (exit !== 0) await expectSame();
      await live.must(restore);
      const databases = await live.on("production", "postgresql/0", DATABASES);
      expect(databases.split("\n").filter((name) => name.includes("incoming"))).toEqual([]);
      expect(await podman("exec", live.machine("production", "postgresql/0"), "sh", "-c", LEFT)).toBe("");
      for (const name of databases.split("\n").filter((one) => /_before_|_replaced_/.test(one)))
        await live.on("production", "postgresql/0", ["sudo", "-u", "postgres", "dropdb", name]);
    },
  );
});

/** Processes and pipes of the line that nobody needs any more. */
const LEFT =
  "sleep 0.2; pgrep -a 'pg_dump|pg_restore|lbzip2'; ls -d /tmp/summitctl-pipe-* /tmp/summitctl-archive-* 2>/dev/null; true";
const DATABASES = ["sudo", "-u", "postgres", "psql", "-At", "-c", "SELECT datname FROM pg_database"];

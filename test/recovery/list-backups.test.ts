import { beforeEach, expect, test } from "vitest";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { backupsView, listBackups, listExit } from "../../src/recovery/list-backups.ts";
import { fetchBackup, showBackup } from "../../src/recovery/look-into-backup.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { at, backupAt, generation, keepBackup, keepGeneration } from "./recovery-fixture.ts";

const [FIRST, SECOND] = ["memory:///first", "memory:///second"];
let first: MemoryStore;
let second: MemoryStore;
let minute: number;
beforeEach(async () => {
  minute = 0;
  first = memoryStore({ url: FIRST, now: () => at(minute) });
  second = memoryStore({ url: SECOND, now: () => at(minute) });
  await keepGeneration(first, generation(1, "production", 0));
});

async function keep(stored: number, changes: Parameters<typeof backupAt>[1] = {}, stores = [first]): Promise<string> {
  minute = stored;
  const backup = backupAt(stored, changes);
  for (const store of stores) await keepBackup(store, backup);
  return backup.manifest.id;
}

/** Every call of it fails. */
const away = (url: string): ObjectStore => {
  const fail = () => Promise.reject(new SummitError("store", `the store ${url} cannot be listed: it is not mounted`));
  return { ...memoryStore({ url }), list: fail, get: fail, head: fail, put: fail };
};

interface Asked {
  readonly stores?: readonly [ObjectStore, ...ObjectStore[]];
  readonly environment?: string;
  /** URLs of stores with `required: false`. */
  readonly optional?: readonly string[];
  readonly signal?: AbortSignal;
}

async function list({ stores = [first], environment, optional = [], signal }: Asked = {}) {
  const out = fakeOutput();
  const result = await listBackups(
    {
      config: {
        project: "conference",
        stores: stores.map(({ url }) => ({ url, path: "/", required: !optional.includes(url) })),
      },
      environment,
    },
    { stores: async () => stores, now: () => at(50), out, signal: signal ?? new AbortController().signal },
  );
  return { result, out, exit: listExit(result), view: JSON.stringify(backupsView(result)) };
}

const marks = ({ stores }: Awaited<ReturnType<typeof list>>["result"], index = 0) =>
  stores[index]?.backups.map(({ manifest, latest, notCounting }) => [manifest.id, latest, notCounting]);

test("newest first, with the one that latest means, and why others can never be", async () => {
  const old = await keep(5);
  const last = await keep(10);
  await keepGeneration(first, generation(2, "spare", 20));
  const zombie = await keep(30);
  const drill = await keep(40, { environment: "attic", generation: 0 });
  const { result, exit, view, out } = await list();
  expect(marks(result)).toEqual([
    [drill, false, "its environment had never been live"],
    [zombie, false, 'stored after the failover to "spare"'],
    [last, true, null],
    [old, false, null],
  ]);
  expect(exit).toBe(0);
  expect(out.warnings).toEqual([]);
  expect(backupsView(result)).toEqual([
    { title: FIRST },
    {
      head: ["id", "environment", "data from", "size", "databases", "rows", ""],
      rows: [
        [drill, "attic", "12 min ago", "3 B", "summit", "42", "never latest: its environment had never been live"],
        expect.arrayContaining([zombie, 'never latest: stored after the failover to "spare"']),
        [last, "production", "42 min ago", "3 B", "summit", "42", "latest"],
        [old, "production", "47 min ago", "3 B", "summit", "42", ""],
      ],
    },
  ]);
  expect(view).not.toContain("NOT ALL");
});

test("the list marks what show takes", async () => {
  await keep(5);
  await keepGeneration(first, generation(2, "spare", 20));
  await keep(30);
  const { result } = await list();
  const request = { project: "conference", backup: { id: "latest", environment: undefined } };
  const shown = await showBackup(request, { stores: async () => [first], now: () => at(50) });
  expect(marks(result)?.find(([, latest]) => latest)?.[0]).toBe(shown.manifest.id);
});

test("of one environment alone, where latest still means that of the project", async () => {
  await keep(5);
  const drill = await keep(10, { environment: "attic", generation: 0 });
  const { result } = await list({ environment: "attic" });
  expect(marks(result)).toEqual([[drill, false, expect.any(String)]]);
});

test("a damaged one is shown as such, and is not the latest", async () => {
  const last = await keep(5);
  minute = 6;
  await first.put("conference/production/20261122T140600Z-bbbbbb/manifest.json", Buffer.from("{"));
  const { result, view, exit } = await list();
  expect(marks(result)).toEqual([[last, true, null]]);
  expect(result.stores[0]?.broken).toMatchObject([{ id: "20261122T140600Z-bbbbbb" }]);
  expect(view).toContain("DAMAGED");
  expect(exit).toBe(0);
});

test("copies in another store are marked as what they are copies of", async () => {
  const copied = await keep(5, {}, [first, second]);
  const last = await keep(10);
  const { result } = await list({ stores: [first, second] });
  expect(marks(result, 0)).toEqual([
    [last, true, null],
    [copied, false, null],
  ]);
  expect(marks(result, 1)).toEqual([[copied, false, null]]);
});

test("a store that does not answer is told, hides no other, and makes the exit code 7", async () => {
  const last = await keep(5);
  const { result, exit, view, out } = await list({ stores: [first, away(SECOND)] });
  expect(exit).toBe(7);
  expect(marks(result)).toEqual([[last, true, null]]);
  expect(result.stores[1]).toMatchObject({
    url: SECOND,
    required: true,
    problem: expect.stringContaining("not mounted"),
    backups: [],
  });
  expect(view).toContain("NOT ALL OF IT COULD BE READ");
  expect(out.warnings).toEqual([
    `not all of ${SECOND} is listed: the store ${SECOND} cannot be listed: it is not mounted`,
  ]);
});

test("one that is not required leaves it at the warning", async () => {
  await keep(5);
  const { exit, out } = await list({ stores: [first, away(SECOND)], optional: [SECOND] });
  expect([exit, out.warnings.length]).toEqual([0, 1]);
});

test("without the first store the copies are shown, and nothing is said to be the latest", async () => {
  const copied = await keep(5, {}, [first, second]);
  const { result, exit } = await list({ stores: [away(FIRST), second] });
  expect(marks(result, 1)).toEqual([[copied, false, null]]);
  expect(exit).toBe(7);
});

test("where the generations cannot be read the backups are shown, and nothing is said to be the latest", async () => {
  const last = await keep(5);
  await first.put("conference/_state/generations/2.json", Buffer.from("{"));
  const { result, exit } = await list();
  expect(marks(result)).toEqual([[last, false, null]]);
  expect(result.stores[0]?.problem).toContain("is not JSON");
  expect(exit).toBe(7);
});

test("no store that failed is said to have no backups", async () => {
  expect((await list()).view).toContain("has no backups");
  expect((await list({ stores: [away(FIRST), second] })).view).not.toContain("has no backups");
});

test("an abort ends it", async () => {
  const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
  await expect(list({ stores: [away(FIRST)], signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("show and get say that a store does not answer", async () => {
  const deps = {
    stores: async (): Promise<[ObjectStore]> => [away(FIRST)],
    now: () => at(50),
    out: fakeOutput(),
    signal: new AbortController().signal,
  };
  const request = { project: "conference", backup: { id: "latest", environment: undefined } };
  await expect(showBackup(request, deps)).rejects.toMatchObject({ kind: "store" });
  await expect(fetchBackup(request, "/nonexistent", deps)).rejects.toMatchObject({ kind: "store" });
});

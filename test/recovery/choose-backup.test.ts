import { beforeEach, describe, expect, test } from "vitest";
import type { Backup } from "../../src/backup/catalog.ts";
import { writeRecord } from "../../src/backup/write-record.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { chooseBackup, chooseCopy } from "../../src/recovery/choose-backup.ts";
import { showBackup } from "../../src/recovery/look-into-backup.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { at, backupAt, generation, keepBackup, keepGeneration } from "./recovery-fixture.ts";

let store: MemoryStore;
let minute: number;
beforeEach(() => {
  minute = 0;
  store = memoryStore({ now: () => at(minute) });
});

const keep = async (stored: number, changes: Parameters<typeof backupAt>[1] = {}): Promise<string> => {
  minute = stored;
  return await keepBackup(store, backupAt(stored, changes));
};

const idOf = ({ manifest }: Backup): string => manifest.id;
const latest = (environment?: string): Promise<string> =>
  chooseBackup(store, "conference", { id: "latest", environment }).then(idOf);
const refusal = (found: Promise<unknown>) =>
  found.then(
    () => expect.fail("one was found"),
    ({ kind, message, hint }: SummitError) => ({ kind, message, hint }),
  );

test("latest is not the newest of all: what an environment stored after it had been left does not count", async () => {
  await keepGeneration(store, generation(1, "production", 0));
  await keepGeneration(store, generation(2, "spare", 20));
  const last = await keep(10);
  await keep(30);
  expect(await latest()).toBe(last);
  const own = await keep(31, { environment: "spare", generation: 2 });
  await keep(32, { environment: "attic", generation: 0 });
  expect(await latest()).toBe(own);
  const shown = await showBackup(
    { project: "conference", backup: { id: "latest", environment: undefined } },
    { stores: async () => [store], now: () => at(40) },
  );
  expect(shown).toMatchObject({ manifest: { id: own }, storedAt: at(31).toISOString() });
});

test("latest means one thing: with another environment it is refused, not taken from there", async () => {
  await keepGeneration(store, generation(1, "production", 0));
  const own = await keep(10);
  const drill = await keep(11, { environment: "attic", generation: 0 });
  expect(await latest("production")).toBe(own);
  expect(await refusal(latest("attic"))).toEqual({
    kind: "check",
    message: `the latest backup of project "conference" is ${own} of "production", not of "attic"`,
    hint: "summitctl backups list -e attic    # and name one by its id",
  });
  expect(idOf(await chooseBackup(store, "conference", { id: drill, environment: "attic" }))).toBe(drill);
});

test("in a store of copies, which has no generations, those of the newest that a manifest names count", async () => {
  await keep(10);
  const second = await keep(20, { environment: "spare", generation: 2 });
  await keep(25, { environment: "attic", generation: 0 });
  await keep(26);
  expect(await latest()).toBe(second);
});

test("there is none, or none that counts", async () => {
  expect(await refusal(latest())).toMatchObject({ kind: "check", hint: "summitctl backup" });
  await keepGeneration(store, generation(1, "production", 0));
  await keep(10, { environment: "attic", generation: 0 });
  expect(await refusal(latest())).toEqual({
    kind: "check",
    message: 'no backup of project "conference" in memory:/// counts as the latest',
    hint: "summitctl backups list    # any of them can be used by its id",
  });
});

test("what is neither an id nor latest is a usage error", async () => {
  const wanted = { id: "newest", environment: undefined };
  expect(await refusal(chooseBackup(store, "conference", wanted))).toMatchObject({ kind: "usage" });
});

describe("one that is named by its id comes from the first store where it is good", () => {
  let copies: MemoryStore;
  beforeEach(() => {
    copies = memoryStore({ url: "memory:///copies", now: () => at(minute) });
  });
  const backup = backupAt(10);
  const wanted = { id: backup.manifest.id, environment: undefined };
  const from = async (...stores: [ObjectStore, ...ObjectStore[]]): Promise<string> =>
    (await chooseCopy(stores, "conference", wanted)).store.url;
  const fail = (where: ObjectStore) =>
    writeRecord(
      where,
      backup.manifest,
      {
        kind: "verified",
        ok: false,
        how: "read",
        compared: { files: 1, parts: 1, storedBytes: 1, plainBytes: 1 },
        problems: ["a bit"],
        seconds: 1,
      },
      { now: () => at(minute), version: "0.1.0" },
    );
  const fileIn = ({ objects }: MemoryStore): string =>
    [...objects.keys()].find((key) => key.endsWith(".bz2")) ?? expect.fail("no file");

  test("the first, when it is good there", async () => {
    await keepBackup(store, backup);
    await keepBackup(copies, backup);
    expect(await from(store, copies)).toBe("memory:///");
  });

  test("the next, when its verification failed or a file is missing in the first, or the first is away", async () => {
    await keepBackup(store, backup);
    await keepBackup(copies, backup);
    const away = { ...store, list: async () => Promise.reject(new SummitError("store", "no route")) };
    expect(await from(away, copies)).toBe("memory:///copies");
    await fail(store);
    expect(await from(store, copies)).toBe("memory:///copies");
    await fail(copies);
    expect(await from(store, copies)).toBe("memory:///");
    store.objects.delete(fileIn(store));
    expect(await from(store, copies)).toBe("memory:///");
  });

  test("where none has it, that a store is away is told first", async () => {
    const away = { ...copies, list: async () => Promise.reject(new SummitError("store", "no route")) };
    expect(await refusal(from(store, away))).toMatchObject({ kind: "store" });
    expect(await refusal(from(store, copies))).toMatchObject({ kind: "check" });
  });
});

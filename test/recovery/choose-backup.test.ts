import { beforeEach, expect, test } from "vitest";
import type { Backup } from "../../src/backup/catalog.ts";
import type { SummitError } from "../../src/core/errors.ts";
import { chooseBackup } from "../../src/recovery/choose-backup.ts";
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

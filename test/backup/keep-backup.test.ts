import { beforeEach, expect, test } from "vitest";
import { findBackup, readCatalog } from "../../src/backup/catalog.ts";
import { keepBackup, keptExit, keptView } from "../../src/backup/keep-backup.ts";
import { NO_STANDING } from "../../src/backup/standing.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { keepSample } from "../support/stored-sample.ts";

const ID = "20261122T143800Z-k3x9qa";
const [FIRST, SECOND] = ["memory:///first", "memory:///second"];
const NOW = new Date("2026-11-23T08:00:00Z");

let first: MemoryStore;
let second: MemoryStore;
let seconds: number;
const now = (): Date => new Date(NOW.getTime() + seconds * 1000);

beforeEach(async () => {
  seconds = 0;
  first = memoryStore({ url: FIRST, now });
  second = memoryStore({ url: SECOND, now });
  for (const store of [first, second]) await keepSample(store);
});

interface Asked {
  readonly keep?: { reason: string; until?: string };
  readonly id?: string;
  readonly stores?: readonly [ObjectStore, ...ObjectStore[]];
}

async function mark({ keep, id = ID, stores = [first, second] }: Asked) {
  seconds += 1;
  const out = fakeOutput();
  const config = {
    project: "schedule",
    stores: stores.map(({ url }) => ({ url, path: "/", required: url === FIRST })),
  };
  const result = await keepBackup(
    {
      config,
      backup: { id, environment: undefined },
      keep: keep === undefined ? undefined : { reason: keep.reason, until: keep.until },
    },
    { stores: async () => stores, now, version: "0.1.0", out, signal: new AbortController().signal },
  );
  const outcomes = result.stores.map(({ outcome }) => outcome);
  return { outcomes, exit: keptExit(result), view: JSON.stringify(keptView(result)), out };
}

const standing = async (store: ObjectStore) =>
  (await findBackup(store, "schedule", { id: ID, environment: undefined })).standing;
const records = (store: MemoryStore): string[] => [...store.objects.keys()].filter((key) => key.includes("/records/"));

test("kept in every store that holds it, then released; each once", async () => {
  expect(await mark({ keep: { reason: "before the upgrade" } })).toMatchObject({
    outcomes: ["recorded", "recorded"],
    exit: 0,
  });
  expect((await mark({ keep: { reason: "before the upgrade" } })).outcomes).toEqual([
    "was so already",
    "was so already",
  ]);
  for (const store of [first, second]) {
    expect((await standing(store)).kept).toEqual({
      reason: "before the upgrade",
      by: expect.stringMatching(/^.+@.+$/),
      until: null,
    });
    expect(records(store)).toEqual([
      expect.stringMatching(
        /^schedule\/production\/20261122T143800Z-k3x9qa\/records\/20261123T080001Z-\w{6}-kept\.json$/,
      ),
    ]);
  }
  expect((await mark({})).outcomes).toEqual(["recorded", "recorded"]);
  expect((await mark({})).outcomes).toEqual(["was so already", "was so already"]);
  expect((await standing(first)).kept).toBeNull();
  const { backups } = await readCatalog(first, "schedule", undefined);
  expect(backups[0]?.standing).toEqual(NO_STANDING);
});

test("another reason or date is recorded, and the last one counts", async () => {
  await mark({ keep: { reason: "one" } });
  await mark({ keep: { reason: "two", until: "2027-01-31" } });
  expect((await standing(first)).kept).toMatchObject({ reason: "two", until: "2027-01-31T23:59:59.000Z" });
});

test("a store that lacks it is no failure; one that fails does not hinder the others", async () => {
  const empty = memoryStore({ url: SECOND });
  expect(await mark({ keep: { reason: "x" }, stores: [first, empty] })).toMatchObject({
    outcomes: ["recorded", "does not hold it"],
    exit: 0,
  });
  const put = (): Promise<never> => Promise.reject(new SummitError("store", "read-only"));
  const { outcomes, exit, out } = await mark({ keep: { reason: "y" }, stores: [{ ...first, put }, second] });
  expect([outcomes, exit, out.warnings]).toEqual([["failed", "recorded"], 7, [`not recorded in ${FIRST}: read-only`]]);
  expect((await mark({ keep: { reason: "z" }, stores: [first, { ...second, put }] })).exit).toBe(0);
});

test.each(["-x", "a/b", "$(id)", "latest", "x".repeat(300), "20261122T143800Z-k3x9qa\n"])(
  "the id %j is none",
  async (id) => {
    await expect(mark({ id })).rejects.toMatchObject({ kind: "usage" });
  },
);

test("one that no store has", async () => {
  await expect(mark({ id: "20300101T000000Z-zzzzzz" })).rejects.toMatchObject({ kind: "check" });
});

test.each(["2027-02-31", "2026-11-23T07:00:00Z", "2026-11-22", "tomorrow", "", "2027-13-01"])(
  "until %j",
  async (until) => {
    await expect(mark({ keep: { reason: "x", until } })).rejects.toMatchObject({ kind: "usage" });
    expect(records(first)).toEqual([]);
  },
);

test("a day means its end: today is still to come", async () => {
  await mark({ keep: { reason: "x", until: "2026-11-23" } });
  expect((await standing(first)).kept?.until).toBe("2026-11-23T23:59:59.000Z");
});

test.each(["", "  ", "x".repeat(501)])("the reason %j", async (reason) => {
  await expect(mark({ keep: { reason } })).rejects.toMatchObject({ kind: "usage" });
});

import { beforeEach, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/backup/catalog.ts";
import { removeLeftovers } from "../../src/backup/leftovers.ts";
import { writeRecord } from "../../src/backup/write-record.ts";
import type { RetentionPolicy } from "../../src/config/retention.ts";
import type { Config } from "../../src/config/types.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { DatabaseServer } from "../../src/core/ports/database-server.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { stateStore } from "../../src/environment/state.ts";
import { applyRetention, type PruneRequest, pruneBackups } from "../../src/recovery/prune-backups.ts";
import { prunedView, pruneExit } from "../../src/recovery/prune-view.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { at, backupAt, generation, keepBackup, keepGeneration, MARK, projectWith } from "./recovery-fixture.ts";

const [FIRST, SECOND] = ["memory:///first", "memory:///second"];
const POLICY: RetentionPolicy = {
  last: 1,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  within: 0,
  floor: 1,
};

let first: MemoryStore;
let second: MemoryStore;
let minute: number;
/** Ids, oldest first. */
let ids: string[];

beforeEach(async () => {
  minute = 0;
  first = memoryStore({ url: FIRST, now: () => at(minute) });
  second = memoryStore({ url: SECOND, now: () => at(minute) });
  await keepGeneration(first, generation(1, "production", 0));
  ids = [];
  for (const stored of [10, 20, 30, 40]) {
    minute = stored;
    for (const store of [first, second]) await keepBackup(store, backupAt(stored));
    ids.push(backupAt(stored).manifest.id);
  }
  minute = 50;
});

interface Asked extends Partial<Omit<PruneRequest, "config">> {
  readonly stores?: readonly [ObjectStore, ...ObjectStore[]];
  readonly config?: Partial<Config>;
  readonly yes?: boolean;
  readonly onQuestion?: () => Promise<void>;
}

async function configOf(over: Partial<Config> = {}): Promise<Config> {
  const { config } = await projectWith();
  const stores = [FIRST, SECOND].map((url) => ({ url, path: "/", required: true }));
  return { ...config, stores, retention: POLICY, ...over };
}

async function prune({ stores = [first, second], config, yes = true, onQuestion, ...more }: Asked = {}) {
  const out = fakeOutput();
  const questions: string[] = [];
  const result = await pruneBackups(
    { config: await configOf(config), environment: undefined, store: undefined, broken: false, dryRun: false, ...more },
    {
      stores: async () => stores,
      version: "0.1.0",
      signal: new AbortController().signal,
      out,
      prompt: {
        confirm: async (question) => {
          questions.push(question);
          await onQuestion?.();
          return yes;
        },
        typedName: async () => false,
      },
    },
  );
  return { result, out, questions, exit: pruneExit(result), view: JSON.stringify(prunedView(result)) };
}

const idsIn = async (store: ObjectStore): Promise<string[]> =>
  (await readCatalog(store, "conference", undefined)).backups.map(({ manifest }) => manifest.id).reverse();
const gone = (): Promise<never> => Promise.reject(new SummitError("store", "it is not mounted"));
const placeOf = (id: string) => ({ project: "conference", environment: "production", id });
const record = { now: () => at(minute), version: "0.1.0" };

test("removes what no rule keeps, with all that belongs to it, and nothing else", async () => {
  await writeRecord(first, placeOf(ids[0] as string), { kind: "released" }, record);
  await first.put("conference/production/README", Buffer.from("by hand"));
  const { result, questions, exit, view } = await prune();
  expect(questions).toEqual(["remove 6 backups?"]);
  expect(result.stores.map(({ removed }) => removed)).toEqual([ids.slice(0, 3), ids.slice(0, 3)]);
  expect(exit).toBe(0);
  expect(view).toContain("the newest good one, last 1 of 1");
  expect([...first.objects.keys()].sort()).toEqual(
    [
      `conference/production/${ids[3]}/manifest.json`,
      `conference/production/${ids[3]}/summit.dump.bz2`,
      "conference/production/README",
      "conference/_state/generations/1.json",
    ].sort(),
  );
});

test("a second run has nothing to ask", async () => {
  await prune();
  const { questions, result } = await prune();
  expect(questions).toEqual([]);
  expect(result.stores.flatMap(({ removed }) => removed)).toEqual([]);
});

test("--dry-run shows and changes nothing, a no changes nothing", async () => {
  const { result, questions } = await prune({ dryRun: true });
  expect(questions).toEqual([]);
  expect(result.stores[0]?.decisions.map(({ action }) => action)).toEqual(["keep", "remove", "remove", "remove"]);
  await expect(prune({ yes: false })).rejects.toMatchObject({ kind: "check" });
  expect(await idsIn(first)).toEqual(ids);
});

test("each store by its own policy; one that has none is left alone", async () => {
  const stores = [
    { url: FIRST, path: "/", required: true },
    { url: SECOND, path: "/", required: true, retention: { ...POLICY, last: 3 } },
  ];
  await prune({ config: { stores } });
  expect([await idsIn(first), await idsIn(second)]).toEqual([ids.slice(3), ids.slice(1)]);
  const { result } = await prune({ config: { stores, retention: undefined } });
  expect(result.stores.map(({ url }) => url)).toEqual([SECOND]);
});

test("one store, by its URL", async () => {
  await prune({ store: SECOND });
  expect([await idsIn(first), await idsIn(second)]).toEqual([ids, ids.slice(3)]);
});

test("without a policy everything stays, and it is said where to write one", async () => {
  await expect(prune({ config: { retention: undefined } })).rejects.toMatchObject({
    kind: "config",
    hint: expect.stringContaining("retention:"),
  });
});

test("a store that cannot be listed, or read, whole loses nothing, and the others are pruned; exit 7", async () => {
  for (const broken of [
    { ...second, list: gone },
    { ...second, get: gone },
  ]) {
    const { result, exit, out } = await prune({ stores: [first, broken] });
    expect(result.stores[1]).toMatchObject({ decisions: [], removed: [] });
    expect(exit).toBe(7);
    expect(out.warnings).toEqual([`${SECOND}: nothing is removed there: it is not mounted`]);
  }
  expect([await idsIn(first), await idsIn(second)]).toEqual([ids.slice(3), ids]);
});

test("without the first store, which knows what is in use, nothing is removed anywhere", async () => {
  await expect(prune({ stores: [{ ...first, list: gone }, second] })).rejects.toMatchObject({ kind: "store" });
  expect(await idsIn(second)).toEqual(ids);
});

test("what somebody has kept since the question was asked stays", async () => {
  const keep = { kind: "kept", reason: "evidence", until: null } as const;
  const { result } = await prune({
    onQuestion: () => writeRecord(first, placeOf(ids[1] as string), keep, record),
  });
  expect(result.stores[0]?.removed).toEqual([ids[0], ids[2]]);
  expect(await idsIn(first)).toEqual([ids[1], ids[3]]);
});

test("what a failover was begun with stays", async () => {
  const mark = { ...MARK, backup: ids[0] as string };
  await stateStore(first, "conference", "0.1.0").update("spare", (state) => ({ ...state, failover: mark }));
  await prune();
  expect([await idsIn(first), await idsIn(second)]).toEqual([
    [ids[0], ids[3]],
    [ids[0], ids[3]],
  ]);
});

test("one environment alone", async () => {
  minute = 45;
  await keepBackup(first, backupAt(41, { environment: "attic", generation: 0 }));
  await keepBackup(first, backupAt(42, { environment: "attic", generation: 0 }));
  minute = 50;
  const { result } = await prune({ environment: "attic", store: FIRST });
  expect(result.stores[0]?.decisions.map(({ environment }) => environment)).toEqual(["attic", "attic"]);
  expect(await idsIn(first)).toHaveLength(5);
});

describe("cut after every deletion", () => {
  test.each(Array.from({ length: 9 }, (_, cut) => cut))(
    "%i: what is listed is whole, and the next run ends it",
    async (cut) => {
      for (const id of ids) await writeRecord(first, placeOf(id), { kind: "released" }, record);
      let deletions = 0;
      const cutting: ObjectStore = {
        ...first,
        delete: async (key) => (deletions++ < cut ? await first.delete(key) : await gone()),
      };
      const { exit } = await prune({ stores: [cutting], store: FIRST });
      expect(exit).toBe(7);
      for (const id of await idsIn(first)) {
        const own = [...first.objects.keys()].filter((key) => key.includes(id));
        expect(own).toHaveLength(3);
      }
      expect((await idsIn(first)).at(-1)).toBe(ids[3]);
      expect((await prune({ store: FIRST })).exit).toBe(0);
      await removeLeftovers({ project: "conference", environment: "production" } as DatabaseServer, first);
      expect([...first.objects.keys()].filter((key) => key.includes("/production/"))).toHaveLength(3);
      expect(await idsIn(first)).toEqual([ids[3]]);
    },
  );
});

describe("after a backup", () => {
  const deps = () => ({
    stores: async (): Promise<[ObjectStore, ObjectStore]> => [first, second],
    version: "0.1.0",
    signal: new AbortController().signal,
    out: fakeOutput(),
  });

  test("it runs for that environment, without a question", async () => {
    await applyRetention(await configOf(), "production", deps());
    expect([await idsIn(first), await idsIn(second)]).toEqual([ids.slice(3), ids.slice(3)]);
    expect(await applyRetention(await configOf({ retention: undefined }), "production", deps())).toBeUndefined();
  });

  test("others are not looked at", async () => {
    await applyRetention(await configOf(), "spare", deps());
    expect(await idsIn(first)).toEqual(ids);
  });
});

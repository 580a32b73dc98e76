import { beforeEach, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/backup/catalog.ts";
import { manifestKey, recordsPrefix } from "../../src/backup/keys.ts";
import { removeLeftovers } from "../../src/backup/leftovers.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { writeRecord } from "../../src/backup/write-record.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { DatabaseServer } from "../../src/core/ports/database-server.ts";
import type { ObjectMemory } from "../../src/core/ports/object-memory.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { keepSample } from "../support/stored-sample.ts";

let store: MemoryStore;
let manifest: Manifest;
let second: number;
const deps = { now: () => new Date(Date.UTC(2026, 10, 22, 15, 0, second)), version: "0.1.0" };

beforeEach(async () => {
  second = 0;
  store = memoryStore({ now: deps.now });
  manifest = await keepSample(store);
});

/** Forgets nothing. */
function endlessMemory(): ObjectMemory & { readonly scopes: Map<string, Awaited<ReturnType<ObjectMemory["recall"]>>> } {
  const scopes = new Map<string, Awaited<ReturnType<ObjectMemory["recall"]>>>();
  return {
    scopes,
    recall: async (scope) => scopes.get(scope) ?? new Map(),
    keep: async (scope, values) => void scopes.set(scope, new Map(values)),
  };
}

function counted(): ObjectStore & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    ...store,
    reads,
    get: async (key, range) => {
      reads.push(key);
      return await store.get(key, range);
    },
  };
}

const read = (from: ObjectStore, memory?: ObjectMemory) => readCatalog(from, "schedule", undefined, { memory });

describe("records beside a backup", () => {
  test("a damaged one is told, and changes nothing", async () => {
    await writeRecord(store, manifest, { kind: "kept", reason: "upgrade", until: null }, deps);
    const [key = ""] = [...store.objects.keys()].filter((one) => one.includes("/records/"));
    second = 1;
    await store.put(`${recordsPrefix(manifest)}zz.json`, Buffer.from('{"kind":"released"'));
    const { backups, broken } = await read(store);
    expect(broken).toEqual([]);
    expect(backups[0]?.standing).toMatchObject({
      kept: { reason: "upgrade" },
      problems: [expect.stringContaining("zz.json")],
    });
    store.objects.set(key, { body: Buffer.from("{}"), storedAt: deps.now() });
    expect((await read(store)).backups[0]?.standing.problems).toHaveLength(2);
  });

  test("without a manifest they make no backup", async () => {
    await writeRecord(store, manifest, { kind: "kept", reason: "upgrade", until: null }, deps);
    store.objects.delete(manifestKey(manifest));
    expect(await read(store)).toEqual({ backups: [], broken: [] });
  });

  test("leftovers are removed without them; those of a whole backup stay", async () => {
    await writeRecord(store, manifest, { kind: "released" }, deps);
    const server = { project: "schedule", environment: "production" } as DatabaseServer;
    const before = [...store.objects.keys()];
    await removeLeftovers(server, store);
    expect([...store.objects.keys()]).toEqual(before);
    store.objects.delete(manifestKey(manifest));
    await removeLeftovers(server, store);
    expect([...store.objects.keys()]).toEqual([]);
  });
});

describe("what this computer remembers", () => {
  test("nothing is read twice, and the catalog is the same", async () => {
    await writeRecord(store, manifest, { kind: "kept", reason: "upgrade", until: null }, deps);
    const memory = endlessMemory();
    const from = counted();
    const first = await read(from, memory);
    expect(from.reads).toHaveLength(2);
    expect(await read(from, memory)).toEqual(first);
    expect(from.reads).toHaveLength(2);
    expect(first).toEqual(await read(store));
  });

  test.each([
    ["size", { body: Buffer.from(`  ${JSON.stringify({})}`), storedAt: deps.now }],
    ["time", { body: undefined, storedAt: () => new Date(Date.UTC(2026, 10, 22, 16)) }],
  ])("an object of another %s is read", async (_what, change) => {
    const memory = endlessMemory();
    await read(store, memory);
    const key = manifestKey(manifest);
    const body = change.body ?? Buffer.from((store.objects.get(key) as { body: Buffer }).body);
    if (change.body === undefined) body.write("]", 1);
    store.objects.set(key, { body, storedAt: change.storedAt() });
    expect((await read(store, memory)).broken).toHaveLength(1);
  });

  test("what is damaged is looked at each time: another version may read it", async () => {
    const memory = endlessMemory();
    const key = manifestKey(manifest);
    const good = store.objects.get(key) as { body: Buffer; storedAt: Date };
    store.objects.set(key, { ...good, body: Buffer.alloc(good.body.length, " ") });
    expect((await read(store, memory)).broken).toMatchObject([{ id: manifest.id, cut: true }]);
    store.objects.set(key, good);
    expect((await read(store, memory)).backups).toHaveLength(1);
  });

  test("what was removed is forgotten", async () => {
    const memory = endlessMemory();
    await read(store, memory);
    store.objects.clear();
    expect(await read(store, memory)).toEqual({ backups: [], broken: [] });
    expect([...memory.scopes.values()].map(({ size }) => size)).toEqual([0]);
  });
});

describe("the store changes while it is read", () => {
  test("a backup that goes away after it was listed is not there", async () => {
    const vanishing: ObjectStore = {
      ...store,
      get: async (key, range) => {
        store.objects.delete(key);
        return await failingGet(key, range);
      },
    };
    const failingGet: ObjectStore["get"] = () => Promise.reject(new SummitError("store", "no such object"));
    expect(await read(vanishing)).toEqual({ backups: [], broken: [] });
  });

  test("at most 16 are read at once, and all of them", async () => {
    for (let number = 0; number < 60; number += 1) {
      await keepSample(store, { id: `20261122T150000Z-${String(number).padStart(6, "0")}` });
    }
    let [running, most] = [0, 0];
    const slow: ObjectStore = {
      ...store,
      get: async (key, range) => {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running -= 1;
        return await store.get(key, range);
      },
    };
    expect((await read(slow)).backups).toHaveLength(61);
    expect(most).toBe(16);
  });
});

import { spawnSync } from "node:child_process";
import { beforeEach, expect, test } from "vitest";
import { claimBackup, listClaims } from "../../src/backup/claim.ts";
import { backupPrefix, manifestKey } from "../../src/backup/keys.ts";
import { removeCopyLeftovers, removeLeftovers } from "../../src/backup/leftovers.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";

const place = { project: "schedule", environment: "production", id: "20261122T143800Z-k3x9qa" };
const file = `${backupPrefix(place.project, place.environment, place.id)}summit.dump.bz2`;
let store: MemoryStore;
beforeEach(() => {
  store = memoryStore();
});
const keys = () => [...store.objects.keys()];
const put = (key: string) => store.objects.set(key, { body: Buffer.from("x"), storedAt: new Date() });

/** A claim as another process would have left it. */
async function claimOf(changes: object): Promise<string> {
  await claimBackup(store, place);
  const key = keys().find((one) => one.includes("_claims")) ?? expect.fail();
  const object = store.objects.get(key) ?? expect.fail();
  store.objects.set(key, {
    ...object,
    body: Buffer.from(JSON.stringify({ ...JSON.parse(object.body.toString()), ...changes })),
  });
  return key;
}
const DEAD = { pid: spawnSync("true").pid, started: "1" };
const ELSEWHERE = { host: "elsewhere" };

test("one at a time has it, and when it is given back, another one", async () => {
  {
    await using _mine = await claimBackup(store, place);
    await expect(claimBackup(store, place)).rejects.toMatchObject({ kind: "locked", hint: expect.any(String) });
    expect(await listClaims(store, place)).toHaveLength(1);
    await using _other = await claimBackup(store, { ...place, id: "20261122T143800Z-other1" });
  }
  expect(keys()).toEqual([]);
  await using _again = await claimBackup(store, place);
});

test("of several at the very same moment never two have it", async () => {
  for (let round = 0; round < 20; round += 1) {
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => claimBackup(store, place)));
    const won = tries.filter((one) => one.status === "fulfilled");
    expect(won.length).toBeLessThanOrEqual(1);
    for (const { value } of won) await value[Symbol.asyncDispose]();
    expect(keys()).toEqual([]);
  }
});

test("what a killed process of this computer claimed does not count; what another computer did, does", async () => {
  const dead = await claimOf(DEAD);
  await using _mine = await claimBackup(store, place);
  expect((await listClaims(store, place)).map(({ alive }) => alive)).toContain(false);
  store.objects.delete(dead);
});

test.each([
  ["of another computer", { ...DEAD, ...ELSEWHERE }],
  ["of another computer of the same name", { ...DEAD, machine: "0123" }],
  ["of a later version", { schema: "summitctl.claim.v2" }],
])("a claim %s counts, however old", async (_what, changes) => {
  await claimOf({ ...changes, since: "2001-01-01T00:00:00Z" });
  await expect(claimBackup(store, place)).rejects.toMatchObject({ kind: "locked" });
  put(file);
  for (const remove of [removeLeftovers, removeCopyLeftovers]) await remove(place, store);
  expect(keys()).toContain(file);
});

test.each([removeLeftovers, removeCopyLeftovers])(
  "%o: what a killed writer left goes, its claim too",
  async (remove) => {
    await claimOf(DEAD);
    put(file);
    await remove(place, store);
    expect(keys()).toEqual([]);
  },
);

test("killed after the manifest it has left a backup, which stays", async () => {
  await claimOf(DEAD);
  put(file);
  put(manifestKey(place));
  await removeCopyLeftovers(place, store);
  expect(keys()).toEqual([file, manifestKey(place)]);
});

test.each([removeLeftovers, removeCopyLeftovers])(
  "%o: a writer that ends while leftovers are looked for loses nothing",
  async (remove) => {
    const claim = await claimBackup(store, place);
    put(file);
    const racing: ObjectStore = {
      ...store,
      list: async (prefix) => {
        const listed = await store.list(prefix);
        // Right after its files were listed without a manifest.
        if (listed.some(({ key }) => key === file)) {
          put(manifestKey(place));
          await claim[Symbol.asyncDispose]();
        }
        return listed;
      },
    };
    await remove(place, racing);
    expect(keys()).toEqual([file, manifestKey(place)]);
  },
);

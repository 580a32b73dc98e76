import { expect, test } from "vitest";
import { findBackup, readCatalog } from "../../src/backup/catalog.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { SummitError } from "../../src/core/errors.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { sampleManifest } from "../support/sample-manifest.ts";

const IDS = ["20261122T143800Z-aaaaaa", "20261121T143800Z-bbbbbb", "20301122T143800Z-cccccc"] as const;

/** A store whose clock goes on by a minute with every object. */
function tickingStore(): MemoryStore {
  let minutes = 0;
  return memoryStore({ now: () => new Date(Date.UTC(2026, 10, 22, 0, ++minutes)) });
}

async function putManifest(
  store: MemoryStore,
  id: string,
  over: Partial<Manifest> & { text?: string } = {},
): Promise<void> {
  const { text, ...rest } = over;
  const manifest = sampleManifest({ id, ...rest });
  await store.put(
    `schedule/${manifest.environment}/${id}/manifest.json`,
    Buffer.from(text ?? JSON.stringify(manifest)),
  );
}

const newest = async (store: MemoryStore, environment: string | undefined) =>
  (await readCatalog(store, "schedule", environment)).backups[0];

test("the newest is the one that was stored last, whatever the names say", async () => {
  const store = tickingStore();
  await putManifest(store, IDS[2]);
  await putManifest(store, IDS[0]);
  await putManifest(store, IDS[1]);
  expect((await readCatalog(store, "schedule", "production")).backups.map(({ manifest }) => manifest.id)).toEqual([
    IDS[1],
    IDS[0],
    IDS[2],
  ]);
  expect(await newest(store, "production")).toMatchObject({
    manifest: { id: IDS[1] },
    storedAt: new Date(Date.UTC(2026, 10, 22, 0, 3)),
  });
});

test("environments are kept apart, or seen together; other projects never", async () => {
  const store = tickingStore();
  await putManifest(store, IDS[0]);
  await putManifest(store, IDS[1], { environment: "spare" });
  await store.put(
    `schedule2/production/${IDS[2]}/manifest.json`,
    Buffer.from(JSON.stringify(sampleManifest({ project: "schedule2", id: IDS[2] }))),
  );
  expect((await newest(store, "production"))?.manifest.id).toBe(IDS[0]);
  expect((await newest(store, undefined))?.manifest.id).toBe(IDS[1]);
  expect((await readCatalog(store, "schedule", undefined)).backups).toHaveLength(2);
});

test.each([
  ["cut", { text: JSON.stringify(sampleManifest()).slice(0, 400) }, /is not JSON/],
  ["empty", { text: "" }, /is not JSON/],
  [
    "of a later version",
    { text: JSON.stringify({ ...sampleManifest(), schema: "summitctl.backup.v9" }) },
    /has the schema "summitctl.backup.v9"/,
  ],
  [
    "of another backup, copied here",
    { text: JSON.stringify(sampleManifest({ id: IDS[0] })) },
    /is the manifest of "schedule\/production\/20261122T143800Z-aaaaaa"/,
  ],
  [
    "of another environment, copied here",
    { text: JSON.stringify(sampleManifest({ id: IDS[2], environment: "spare" })) },
    /was moved or copied/,
  ],
])("a manifest that is %s is shown and never chosen", async (_what, over, problem) => {
  const store = tickingStore();
  await putManifest(store, IDS[0]);
  await putManifest(store, IDS[2], over);
  const { backups, broken } = await readCatalog(store, "schedule", "production");
  expect(backups.map(({ manifest }) => manifest.id)).toEqual([IDS[0]]);
  expect(broken).toMatchObject([
    {
      id: IDS[2],
      environment: "production",
      storedAt: new Date(Date.UTC(2026, 10, 22, 0, 2)),
      problem: expect.stringMatching(problem),
    },
  ]);
  expect((await findBackup(store, "schedule", { id: IDS[0], environment: undefined })).manifest.id).toBe(IDS[0]);
  await expect(findBackup(store, "schedule", { id: IDS[2], environment: "production" })).rejects.toMatchObject({
    kind: "verification",
    message: expect.stringMatching(problem),
  });
});

test("what is no manifest of a backup is not taken for one", async () => {
  const store = tickingStore();
  for (const key of [
    `schedule/production/${IDS[0]}/summit.dump.bz2`,
    "schedule/production/manifest.json",
    "schedule/production/latest/manifest.json",
    `schedule/production/${IDS[0]}/more/manifest.json`,
    "schedule/_state/generations/manifest.json",
  ]) {
    await store.put(key, Buffer.from(JSON.stringify(sampleManifest())));
  }
  expect(await readCatalog(store, "schedule", undefined)).toEqual({ backups: [], broken: [] });
});

test("a store that fails is not an empty one", async () => {
  const store = tickingStore();
  await putManifest(store, IDS[0]);
  const failing = { ...store, get: () => Promise.reject(new SummitError("store", "gone")) };
  await expect(readCatalog(failing, "schedule", "production")).rejects.toMatchObject({ kind: "store" });
});

test("there is no backup", async () => {
  await expect(findBackup(memoryStore(), "schedule", { id: IDS[0], environment: "production" })).rejects.toMatchObject({
    kind: "check",
    message: `there is no backup ${IDS[0]} of environment "production" in memory:///`,
  });
  await expect(findBackup(memoryStore(), "schedule", { id: IDS[0], environment: undefined })).rejects.toMatchObject({
    kind: "check",
    message: `there is no backup ${IDS[0]} of project "schedule" in memory:///`,
  });
});

test.each(["", "-x", "../x", "20261122T143800Z", "$(id)", "a\nb", "x".repeat(300), "LATEST"])(
  "the id %j is none",
  async (id) => {
    await expect(findBackup(memoryStore(), "schedule", { id, environment: "production" })).rejects.toMatchObject({
      kind: "usage",
      hint: "summitctl backups list",
    });
  },
);

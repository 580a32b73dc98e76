import { beforeEach, expect, test } from "vitest";
import { copyBackup } from "../../src/backup/copy-backup.ts";
import { manifestKey } from "../../src/backup/keys.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { memberKey } from "../../src/backup/read-member.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { keepSample } from "../support/stored-sample.ts";
import { watchedStore } from "../support/watched-store.ts";
import { backupDeps } from "./backup-fixture.ts";

let source: MemoryStore;
let target: MemoryStore;
let manifest: Manifest;
let dump: string;
beforeEach(async () => {
  source = memoryStore();
  target = memoryStore({ url: "memory:///copies" });
  manifest = await keepSample(source);
  dump = memberKey(manifest, manifest.members[0] as Manifest["members"][0]);
});

const bytesOf = (store: MemoryStore) =>
  new Map([...store.objects].map(([key, { body }]) => [key, body.toString("hex")]));
const bodyOf = (store: MemoryStore, key: string): Buffer => store.objects.get(key)?.body ?? expect.fail(`no ${key}`);
const put = (store: MemoryStore, key: string, body: Buffer) => store.objects.set(key, { body, storedAt: new Date() });
const flipped = (body: Buffer, at: number): Buffer => {
  const copy = Buffer.from(body);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
};
const copy = (to: ObjectStore = target, deps = backupDeps()) => copyBackup({ manifest, store: source }, to, deps);
const failure = (attempt: Promise<unknown>): Promise<SummitError> =>
  attempt.then(
    () => expect.fail("it was copied"),
    (error: SummitError) => error,
  );

test("a copy is equal byte for byte, and its manifest comes last", async () => {
  const order: string[] = [];
  await copy(watchedStore(target, { beforePut: (key) => order.push(key) }));
  expect(bytesOf(target)).toEqual(bytesOf(source));
  expect(order.at(-1)).toBe(manifestKey(manifest));
});

test("what is there already is not sent again", async () => {
  await copy();
  const deps = backupDeps();
  await copy(watchedStore(target, { beforePut: (key) => expect.fail(`${key} was put`) }), deps);
  expect(deps.out.tasks).toEqual([expect.objectContaining({ state: "done", text: "it was there already" })]);
});

test("another backup under that id is refused, and stays as it is", async () => {
  await copy();
  put(target, manifestKey(manifest), Buffer.from(JSON.stringify(manifest)));
  const before = bytesOf(target);
  expect(await failure(copy())).toMatchObject({
    kind: "verification",
    message: expect.stringContaining(`memory:///copies has another backup under the id ${manifest.id}`),
  });
  expect(bytesOf(target)).toEqual(before);
});

test("another backup that gets there at the same moment is refused, and nothing of it is removed", async () => {
  const theirs = Buffer.from(JSON.stringify(manifest));
  const racing = watchedStore(target, {
    beforePut: (key) => key === manifestKey(manifest) && put(target, key, theirs),
  });
  expect(await failure(copy(racing))).toMatchObject({ kind: "verification" });
  expect(bodyOf(target, manifestKey(manifest))).toEqual(theirs);
  expect(target.objects.size).toBe(3);
});

test("a copy that is there and was cut afterwards is told", async () => {
  await copy();
  put(target, dump, bodyOf(target, dump).subarray(1));
  expect(await failure(copy())).toMatchObject({ kind: "verification", message: expect.stringContaining("is damaged") });
});

test.each([
  ["one bit in the last part", (body: Buffer) => flipped(body, body.length - 1)],
  ["one bit in the first part", (body: Buffer) => flipped(body, 0)],
  ["a cut", (body: Buffer) => body.subarray(0, -1)],
])("a source with %s is not copied, and nothing is left", async (_what, damage) => {
  put(source, dump, damage(bodyOf(source, dump)));
  expect(await failure(copy())).toMatchObject({ kind: "verification" });
  expect(target.objects.size).toBe(0);
});

test.each([
  ["whole", (body: Buffer) => body, false],
  ["of the right size and other content", (body: Buffer) => flipped(body, 50_000), true],
  ["of another size", (body: Buffer) => body.subarray(9), true],
])("what a killed copy left that is %s", async (_what, change, replaced) => {
  put(target, dump, change(bodyOf(source, dump)));
  const order: string[] = [];
  await copy(watchedStore(target, { beforePut: (key) => order.push(key) }));
  expect(order.includes(dump)).toBe(replaced);
  expect(bytesOf(target)).toEqual(bytesOf(source));
});

test("a store that says another size afterwards gets no manifest", async () => {
  const lying: ObjectStore = {
    ...target,
    head: async (key) => {
      const found = await target.head(key);
      return found === undefined || key !== dump ? found : { ...found, size: found.size - 1 };
    },
  };
  expect(await failure(copy(lying))).toMatchObject({ kind: "verification" });
  expect(target.objects.size).toBe(0);
});

test("an answer to the manifest that was lost leaves no manifest without its files", async () => {
  const removed: string[] = [];
  const losing: ObjectStore = {
    ...target,
    put: async (key, ...rest) => {
      const info = await target.put(key, ...rest);
      if (key === manifestKey(manifest)) throw new SummitError("store", "the answer was lost");
      return info;
    },
    delete: async (key) => {
      removed.push(key);
      await target.delete(key);
    },
  };
  expect(await failure(copy(losing))).toMatchObject({ kind: "store" });
  expect(removed[0]).toBe(manifestKey(manifest));
  expect(target.objects.size).toBe(0);
});

test("an abort while what a killed copy left is checked is told as one", async () => {
  const abort = new AbortController();
  const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
  put(target, dump, bodyOf(source, dump));
  const aborting: ObjectStore = {
    ...target,
    get: async (key, range) => {
      abort.abort(reason);
      return await target.get(key, range);
    },
  };
  expect(await failure(copy(aborting, backupDeps({ signal: abort.signal })))).toBe(reason);
  expect([...target.objects.keys()]).toEqual([dump]);
});

test("an abort leaves nothing, and is told as one", async () => {
  const abort = new AbortController();
  const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
  const store = watchedStore(target, { onFirstBytes: () => abort.abort(reason) });
  expect(await failure(copy(store, backupDeps({ signal: abort.signal })))).toBe(reason);
  expect(target.objects.size).toBe(0);
});

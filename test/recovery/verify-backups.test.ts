import { beforeEach, expect, test } from "vitest";
import { manifestKey } from "../../src/backup/keys.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { memberKey } from "../../src/backup/read-member.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { chooseBackup } from "../../src/recovery/choose-backup.ts";
import { backupsView, listBackups } from "../../src/recovery/list-backups.ts";
import { verifyBackups, verifyExit, verifyView } from "../../src/recovery/verify-backups.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { bzip2, keepPacked, withSums } from "../support/packed-sample.ts";

const OLD = "20261120T143800Z-aaaaaa";
const NEW = "20261122T143800Z-k3x9qa";
const [FIRST, SECOND] = ["memory:///first", "memory:///second"];

let minute: number;
let first: MemoryStore;
let second: MemoryStore;
let newest: Manifest;
const now = (): Date => new Date(Date.UTC(2026, 10, 22, 15, minute));

beforeEach(async () => {
  minute = 0;
  first = memoryStore({ url: FIRST, now });
  second = memoryStore({ url: SECOND, now });
  await keepPacked([first, second], { id: OLD });
  minute = 1;
  newest = await keepPacked([first, second], { id: NEW });
  minute = 2;
});

const config = (optional: readonly string[] = []) => ({
  project: "schedule",
  stores: [FIRST, SECOND].map((url) => ({ url, path: "/", required: !optional.includes(url) })),
});

interface Asked {
  readonly id?: string;
  readonly store?: string;
  readonly stores?: readonly [ObjectStore, ...ObjectStore[]];
  readonly optional?: readonly string[];
  readonly signal?: AbortSignal;
}

async function verify({ id = "latest", store, stores = [first, second], optional, signal }: Asked = {}) {
  const out = fakeOutput();
  const deps = {
    stores: async () => stores,
    now,
    out,
    version: "0.1.0",
    signal: signal ?? new AbortController().signal,
  };
  const request = { config: config(optional), backup: { id, environment: undefined }, store };
  const result = await verifyBackups(request, deps);
  return { result, out, exit: verifyExit(result), view: JSON.stringify(verifyView(result)) };
}

const outcomes = ({ stores }: Awaited<ReturnType<typeof verify>>["result"]) => stores.map(({ outcome }) => outcome);
const latestIn = async (store: MemoryStore): Promise<string> =>
  (await chooseBackup(store, "schedule", { id: "latest", environment: undefined })).manifest.id;

function damage(
  store: MemoryStore,
  change: (body: Buffer) => Buffer,
  key = memberKey(newest, newest.members[0] as never),
) {
  const found = store.objects.get(key);
  if (found === undefined) throw new Error(`no ${key}`);
  store.objects.set(key, { ...found, body: change(Buffer.from(found.body)) });
}

const flip = (at: number) => (body: Buffer) => {
  body[at] = (body[at] as number) ^ 1;
  return body;
};

async function listed(): Promise<string> {
  const deps = { stores: async (): Promise<[ObjectStore, ObjectStore]> => [first, second], now, out: fakeOutput() };
  const request = { config: config(), environment: undefined };
  return JSON.stringify(backupsView(await listBackups(request, { ...deps, signal: new AbortController().signal })));
}

test("the latest, in every store that holds it: all of it is read, decoded, compared and recorded", async () => {
  const { result, out, exit } = await verify();
  expect([result.backup, outcomes(result), exit]).toEqual([NEW, ["ok", "ok"], 0]);
  const bytes = newest.members.reduce((sum, { stored }) => sum + stored.bytes, 0);
  expect(result.stores[0]?.found?.compared).toEqual({
    files: 2,
    parts: newest.members.reduce((sum, { stored }) => sum + stored.parts.length, 0),
    storedBytes: bytes,
    plainBytes: 300_000,
  });
  expect(out.tasks.map(({ state }) => state)).toEqual(["done", "done"]);
  expect(out.tasks[0]?.progress.at(-1)).toEqual({ bytes, total: bytes });
  minute = 62;
  expect(await listed()).toMatch(/latest, verified 1 h ago by read in 0 s/);
});

test.each<[string, (body: Buffer) => Buffer]>([
  ["a bit is flipped in the first part", flip(100)],
  ["a bit is flipped in the last part", (body) => flip(body.length - 1)(body)],
  ["it is cut", (body) => body.subarray(0, 50_000)],
  ["something is behind it", (body) => Buffer.concat([body, Buffer.from("x")])],
  ["it is empty", () => Buffer.alloc(0)],
])("it fails when %s, is recorded there, and takes it out of latest", async (_what, change) => {
  damage(first, change);
  const { result, exit, view } = await verify();
  expect([outcomes(result), exit]).toEqual([["failed", "ok"], 8]);
  expect(view).toContain("VERIFICATION FAILED");
  expect(await latestIn(first)).toBe(OLD);
  expect(await latestIn(second)).toBe(NEW);
  expect(await listed()).toMatch(/verification failed 0 s ago: the backup|verification failed 0 s ago/);
  expect((await verify()).result.backup).toBe(OLD);
});

test("one that is encrypted needs an identity, which is said before anything is read or recorded", async () => {
  const encryption = { kind: "age", recipients: ["age1somebody"] };
  const members = newest.members.map((member) => ({ ...member, encryption }));
  const encrypted = Buffer.from(JSON.stringify({ ...newest, members }));
  for (const store of [first, second]) damage(store, () => encrypted, manifestKey(newest));
  const before = first.objects.size;
  await expect(verify()).rejects.toMatchObject({
    kind: "config",
    message: expect.stringContaining("does not say where an identity is"),
  });
  expect(first.objects.size).toBe(before);
});

test("it fails when a file is gone", async () => {
  first.objects.delete(memberKey(newest, newest.members[1] as never));
  const { result, exit } = await verify({ id: NEW });
  expect([outcomes(result), exit]).toEqual([["failed", "ok"], 8]);
  expect(result.stores[0]?.found?.problems[0]).toContain("is missing");
});

test.each<[string, (plain: Buffer) => [plain: Buffer, packed: Buffer], RegExp]>([
  [
    "decodes to other bytes than were dumped",
    (plain) => [plain, bzip2(flip(5)(Buffer.from(plain)))],
    /decodes to 150000 bytes/,
  ],
  ["decodes to fewer", (plain) => [plain, bzip2(plain.subarray(1))], /decodes to 149999 bytes/],
  ["decodes to many more", (plain) => [plain, bzip2(Buffer.alloc(90_000_000))], /decodes to more than the 150000/],
  ["is no bzip2 at all", (plain) => [plain, Buffer.from(plain)], /cannot be decoded/],
  [
    "ends half-way, though every hash of it is right",
    (plain) => [plain, bzip2(plain).subarray(0, -8)],
    /cannot be decoded/,
  ],
])("it fails when what is stored as the manifest says %s", async (_what, make, problem) => {
  const { 0: database, 1: roles } = newest.members as [Manifest["members"][number], Manifest["members"][number]];
  const [plain, packed] = make(Buffer.alloc(150_000, "p"));
  const lying = { ...newest, members: [withSums(database, plain, packed), roles] };
  damage(first, () => packed);
  damage(first, () => Buffer.from(JSON.stringify(lying)), manifestKey(newest));
  const { result, exit } = await verify({ store: FIRST });
  expect(exit).toBe(8);
  expect(result.stores[0]?.found?.problems[0]).toMatch(problem);
});

test("what was wrong once only, on its way, is not wrong in the store", async () => {
  const key = memberKey(newest, newest.members[0] as never);
  let reads = 0;
  const noisy: ObjectStore = {
    ...first,
    get: async (wanted, range) => {
      if (wanted !== key || ++reads > 1) return await first.get(wanted, range);
      return await first.get(wanted, { offset: 1, length: range?.length ?? 0 });
    },
  };
  const { result } = await verify({ stores: [noisy] });
  expect(outcomes(result)).toEqual(["ok"]);
});

test("a later one that goes well counts again", async () => {
  damage(first, flip(100));
  await verify();
  damage(first, flip(100));
  minute = 5;
  expect((await verify({ id: NEW })).exit).toBe(0);
  expect(await latestIn(first)).toBe(NEW);
});

const failing = (store: ObjectStore, over: Partial<ObjectStore>): ObjectStore => ({ ...store, ...over });
const gone = (): Promise<never> => Promise.reject(new SummitError("store", "it is not mounted"));
const readingFails: ObjectStore["get"] = (key) => (key.includes(".bz2") ? gone() : second.get(key));

test("a store that fails meanwhile is no failed verification: nothing is recorded, exit 7", async () => {
  const { result, exit, out } = await verify({ stores: [first, failing(second, { get: readingFails })] });
  expect([outcomes(result), exit]).toEqual([["ok", "not verified"], 7]);
  expect(out.warnings).toEqual([`${SECOND}: it is not mounted`]);
  expect([...second.objects.keys()].filter((key) => key.includes("/records/"))).toEqual([]);
  expect(await latestIn(second)).toBe(NEW);
});

test("a best-effort store that fails leaves exit 0", async () => {
  const { exit } = await verify({ stores: [first, failing(second, { get: readingFails })], optional: [SECOND] });
  expect(exit).toBe(0);
});

test("a result that the store does not take is told, and exit 7", async () => {
  const { result, exit, out } = await verify({ stores: [failing(first, { put: gone }), second] });
  expect(result.stores[0]).toMatchObject({ outcome: "ok", recorded: false });
  expect([exit, out.warnings]).toEqual([7, [`${FIRST}: the result could not be recorded: it is not mounted`]]);
});

test("one store alone, by its URL; one that is not configured is a usage error", async () => {
  const { result } = await verify({ store: `${SECOND}/` });
  expect(result.stores.map(({ url }) => url)).toEqual([SECOND]);
  await expect(verify({ store: "file:///elsewhere" })).rejects.toMatchObject({ kind: "usage" });
});

test("what no store holds, and what is no id", async () => {
  await expect(verify({ id: "20300101T000000Z-zzzzzz" })).rejects.toMatchObject({ kind: "check" });
  await expect(verify({ id: "$(id)" })).rejects.toMatchObject({ kind: "usage" });
});

test("an abort ends it and records nothing", async () => {
  const stop = new AbortController();
  const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
  const stopping = failing(first, {
    get: async (key, range) => {
      if (key.includes(".bz2")) stop.abort(reason);
      return await first.get(key, range);
    },
  });
  await expect(verify({ stores: [stopping], signal: stop.signal })).rejects.toBe(reason);
  expect([...first.objects.keys()].filter((key) => key.includes("/records/"))).toEqual([]);
});

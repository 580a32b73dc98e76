import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { beforeEach, expect, test } from "vitest";
import { readStanding } from "../../src/backup/catalog.ts";
import { manifestKey } from "../../src/backup/keys.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { memberKey } from "../../src/backup/read-member.ts";
import { type NewRecord, writeRecord } from "../../src/backup/write-record.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { type CopyRequest, copyBackups } from "../../src/recovery/copy-backups.ts";
import { copiedView, copyExit } from "../../src/recovery/copy-view.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { keepSample } from "../support/stored-sample.ts";

let first: MemoryStore;
let second: MemoryStore;
let third: MemoryStore;
beforeEach(() => {
  first = memoryStore({ url: "memory:///first" });
  second = memoryStore({ url: "memory:///second" });
  third = memoryStore({ url: "memory:///third" });
});

const deps = (stores: readonly ObjectStore[] = [first, second, third]) => ({
  out: fakeOutput(),
  now: () => new Date(),
  signal: new AbortController().signal,
  stores: async () => stores as [ObjectStore, ...ObjectStore[]],
});
const required = (url: string, isRequired = true) => ({
  url,
  required: isRequired,
  s3: undefined,
  retention: undefined,
});
const copy = (over: Partial<CopyRequest> = {}, using = deps(), thirdRequired = true) =>
  copyBackups(
    {
      config: {
        project: "schedule",
        stores: [
          required("memory:///first"),
          required("memory:///second"),
          required("memory:///third", thirdRequired),
        ] as unknown as CopyRequest["config"]["stores"],
      },
      backup: undefined,
      environment: undefined,
      from: undefined,
      to: undefined,
      ...over,
    },
    using,
  );
const outcomes = ({ copies }: Awaited<ReturnType<typeof copy>>) =>
  copies.map(({ backup, from, to, outcome }) => [backup.slice(-6), from?.slice(10), to.slice(10), outcome]);
const wholeIn = (store: MemoryStore, { id }: Manifest): boolean => store.objects.has(keyOf(id));
const keyOf = (id: string): string => manifestKey({ project: "schedule", environment: "production", id });
const idOf = (suffix: string): string => `20261122T143800Z-${suffix}`;
const record = (store: ObjectStore, manifest: Manifest, value: NewRecord, at = new Date()) =>
  writeRecord(store, manifest, value, { now: () => at, version: "0.1.0" });
const kept = { kind: "kept", reason: "before the upgrade", until: null } as const;
const failedBy = (how: "read" | "restore") =>
  ({
    kind: "verified" as const,
    ok: false,
    how,
    compared: { files: 1, parts: 1, storedBytes: 1, plainBytes: 1 },
    problems: ["a bit"],
    seconds: 1,
  }) satisfies NewRecord;

test("every backup goes to each store that lacks it, wherever it is, and nothing is sent twice", async () => {
  await keepSample(first, { id: idOf("aaaaaa") });
  await keepSample(third, { id: idOf("bbbbbb") });
  const result = await copy();
  expect(outcomes(result).sort()).toEqual([
    ["aaaaaa", "first", "second", "copied"],
    ["aaaaaa", "first", "third", "copied"],
    ["bbbbbb", "third", "first", "copied"],
    ["bbbbbb", "third", "second", "copied"],
  ]);
  expect(copyExit(result)).toBe(0);
  const again = await copy();
  expect(again.copies).toEqual([]);
  expect(copiedView(again)).toEqual([{ text: "every store has every backup, nothing was copied" }]);
});

test("one by its id, from a store and to a store that are named", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  await keepSample(first, { id: idOf("bbbbbb") });
  const using = deps();
  const result = await copy({ backup: manifest.id, from: "memory:///first", to: "memory:///third" }, using);
  expect(outcomes(result)).toEqual([["aaaaaa", "first", "third", "copied"]]);
  expect([...second.objects.keys()]).toEqual([]);
  // Progress of all of its files, not of each.
  const { progress } = using.out.tasks[0] ?? expect.fail("no task");
  expect(progress.at(-1)).toEqual({ bytes: 120_617, total: 120_617 });
});

test("a source whose bytes are not what was stored is passed over for the next", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  await copy({ to: "memory:///second" });
  const key = memberKey(manifest, manifest.members[0] as Manifest["members"][0]);
  const object = first.objects.get(key) ?? expect.fail();
  first.objects.set(key, { ...object, body: randomBytes(object.body.length) });
  expect(outcomes(await copy())).toEqual([
    ["aaaaaa", "first", "second", "was there already"],
    ["aaaaaa", "second", "third", "copied"],
  ]);
  expect(third.objects.get(key)?.body).toEqual(second.objects.get(key)?.body);
});

test("one that is damaged everywhere is not copied, exit 8; the others are", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  await keepSample(first, { id: idOf("bbbbbb") });
  first.objects.delete(memberKey(manifest, manifest.members[1] as Manifest["members"][0]));
  const result = await copy({ to: "memory:///second" });
  expect(outcomes(result).sort()).toEqual([
    ["aaaaaa", undefined, "second", "failed"],
    ["bbbbbb", "first", "second", "copied"],
  ]);
  expect(copyExit(result)).toBe(8);
});

test("what a verification failed of does not become a copy that none failed of", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  await record(first, manifest, failedBy("restore"));
  const result = await copy();
  expect(result.copies.map(({ outcome }) => outcome)).toEqual(["failed", "failed"]);
  expect(wholeIn(second, manifest)).toBe(false);
});

test("that it is kept travels before the manifest, that it was verified does not", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  await record(first, manifest, kept);
  await record(first, manifest, { ...failedBy("read"), ok: true, problems: [] });
  expect((await copy({ to: "memory:///second" })).copies).toEqual([expect.objectContaining({ keptAnew: true })]);
  expect(await readStanding(second, manifest)).toMatchObject({ kept: { reason: kept.reason }, verification: null });
  const puts = [...second.objects.keys()];
  expect(puts.findIndex((key) => key.includes("/records/"))).toBeLessThan(puts.indexOf(keyOf(manifest.id)));
});

test("a later word in the other store stands: a release here does not undo a keep there", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  await copy({ to: "memory:///second" });
  await record(first, manifest, { kind: "released" }, new Date("2026-11-22T15:00:00Z"));
  await record(second, manifest, kept, new Date("2026-11-22T16:00:00Z"));
  await copy({ backup: manifest.id, from: "memory:///first", to: "memory:///second" });
  expect((await readStanding(second, manifest)).kept).toMatchObject({ reason: kept.reason });
  await record(first, manifest, { kind: "released" }, new Date("2026-11-22T17:00:00Z"));
  await copy({ backup: manifest.id, from: "memory:///first", to: "memory:///second" });
  expect((await readStanding(second, manifest)).kept).toBeNull();
});

const failing = (store: MemoryStore): ObjectStore => ({
  ...store,
  put: async () => Promise.reject(new SummitError("store", "the disk is full")),
});

test.each([
  ["required", true, 7],
  ["best effort", false, 0],
])("a store that fails does not stop the others: %s", async (_what, thirdRequired, code) => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  const using = deps([first, failing(third), second]);
  const result = await copy({}, using, thirdRequired);
  expect(outcomes(result)).toEqual([
    ["aaaaaa", "first", "third", "failed"],
    ["aaaaaa", "first", "second", "copied"],
  ]);
  expect(copyExit(result)).toBe(code);
  expect(using.out.warnings).toEqual([`${manifest.id} is not in memory:///third: the disk is full`]);
});

test("a store that cannot be listed is told, and the others are served", async () => {
  await keepSample(first, { id: idOf("aaaaaa") });
  const silent = { ...third, list: async () => Promise.reject(new SummitError("store", "no route")) };
  const result = await copy({}, deps([first, second, silent]));
  expect(outcomes(result)).toEqual([["aaaaaa", "first", "second", "copied"]]);
  expect(result.unread).toEqual([{ url: "memory:///third", required: true, problem: "no route" }]);
  expect(copyExit(result)).toBe(7);
});

const claimOf = (store: MemoryStore, id: string, over: object) =>
  store.objects.set(`schedule/_claims/production/${id}/aa.json`, {
    body: Buffer.from(
      JSON.stringify({ schema: "summitctl.claim.v1", started: "", machine: "", since: "now", ...over }),
    ),
    storedAt: new Date(),
  });

test("what killed copies left is removed by the next copy; what others write is not", async () => {
  await keepSample(first, { id: idOf("aaaaaa") });
  const place = (id: string, file: string) => `schedule/production/${id}/${file}`;
  const put = (key: string) => second.objects.set(key, { body: Buffer.from("x"), storedAt: new Date() });
  put(place(idOf("dddddd"), "cut.dump.bz2"));
  put(place(idOf("eeeeee"), "theirs.dump.bz2"));
  claimOf(second, idOf("eeeeee"), { pid: 7, host: "elsewhere" });
  put("schedule/production/notes.txt");
  await copy({ to: "memory:///second" });
  const left = [...second.objects.keys()].filter((key) => !key.includes("aaaaaa")).sort();
  expect(left).toEqual([
    `schedule/_claims/production/${idOf("eeeeee")}/aa.json`,
    place(idOf("eeeeee"), "theirs.dump.bz2"),
    "schedule/production/notes.txt",
  ]);
});

test("a backup that another computer writes there is refused as locked, and says who", async () => {
  const manifest = await keepSample(first, { id: idOf("aaaaaa") });
  claimOf(second, manifest.id, { pid: 7, host: "elsewhere" });
  const [outcome] = (await copy({ to: "memory:///second" })).copies;
  expect(outcome).toMatchObject({ outcome: "failed", problemKind: "locked" });
  expect(outcome?.problem).toContain("on elsewhere since now");
  expect([...second.objects.keys()]).toHaveLength(1);
  expect(hostname()).not.toBe("elsewhere");
});

test("one store alone, or twice the same, is a usage error", async () => {
  await expect(copy({}, deps([first]))).rejects.toMatchObject({ kind: "usage" });
  const same = { from: "memory:///second", to: "memory:///second/" };
  await expect(copy(same)).rejects.toMatchObject({ kind: "usage" });
});

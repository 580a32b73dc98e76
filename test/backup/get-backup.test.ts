import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { getBackup } from "../../src/backup/get-backup.ts";
import { manifestKey } from "../../src/backup/keys.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { memberKey } from "../../src/backup/read-member.ts";
import { SummitError } from "../../src/core/errors.ts";
import { startTime } from "../../src/core/process-life.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { keepSample } from "../support/stored-sample.ts";
import { backupDeps } from "./backup-fixture.ts";

let store: MemoryStore;
let manifest: Manifest;
let dump: string;
let target: string;
beforeEach(async () => {
  store = memoryStore();
  manifest = await keepSample(store);
  dump = memberKey(manifest, manifest.members[0] as Manifest["members"][0]);
  target = join(await mkdtemp(join(tmpdir(), "summit-get-")), "a folder's place");
});
afterEach(() => rm(join(target, ".."), { recursive: true, force: true }));

const get = (deps = backupDeps()) => getBackup({ manifest, store }, target, deps);
const failure = (attempt = get()): Promise<SummitError> =>
  attempt.then(
    () => expect.fail("it was fetched"),
    (error: SummitError) => error,
  );
const there = () => readdir(target).catch(() => []);
const change = (change: (body: Buffer) => Buffer): void => {
  const object = store.objects.get(dump) ?? expect.fail("no dump");
  store.objects.set(dump, { ...object, body: change(Buffer.from(object.body)) });
};

test("the folder has every file as it is stored, the manifest too, for nobody else to read", async () => {
  const deps = backupDeps();
  const result = await get(deps);
  expect(result).toEqual({
    schema: "summitctl.backup-got.v1",
    id: manifest.id,
    folder: join(target, manifest.id),
    files: [...manifest.members.map(({ file }) => file), "manifest.json"],
    byHand: ["createdb NEW && bunzip2 -c summit-20261122T143800Z.dump.bz2 | pg_restore -d NEW"],
  });
  expect(await there()).toEqual([manifest.id]);
  expect((await readdir(result.folder)).sort()).toEqual([...result.files].sort());
  for (const file of result.files) {
    const key = manifestKey(manifest).replace("manifest.json", file);
    expect(await readFile(join(result.folder, file))).toEqual(store.objects.get(key)?.body);
  }
  const modes = await execa("stat", [
    "-c",
    "%a",
    result.folder,
    ...result.files.map((file) => join(result.folder, file)),
  ]);
  expect(modes.stdout.split("\n")).toEqual(["700", "600", "600", "600"]);
  expect(deps.out.tasks.map(({ title, state }) => [title, state])).toEqual(
    manifest.members.map(({ file }) => [file, "done"]),
  );
  expect(deps.out.tasks[0]?.progress.map(({ bytes }) => bytes)).toEqual([40_000, 80_000, 120_000, 120_017]);
});

test("a file that was cut is refused before anything is written", async () => {
  change((body) => body.subarray(0, -1));
  const deps = backupDeps();
  expect(await failure(get(deps))).toMatchObject({
    kind: "verification",
    message: expect.stringContaining("has 120016 bytes, expected 120017"),
  });
  expect(deps.out.tasks).toEqual([]);
  expect(await there()).toEqual([]);
});

test.each([
  ["first", 0],
  ["last", 120_016],
])("an altered byte in the %s part is found, and nothing is left", async (_which, at) => {
  change((body) => {
    body.writeUInt8(body.readUInt8(at) ^ 1, at);
    return body;
  });
  const deps = backupDeps();
  expect(await failure(get(deps))).toMatchObject({
    kind: "verification",
    message: expect.stringMatching(/part \d of 4 of summit-.* is not what was stored/),
  });
  expect(await there()).toEqual([]);
  expect(deps.out.tasks.map(({ state }) => state)).toEqual(["failed"]);
});

test("a folder of that name is left alone, and the hint can be pasted", async () => {
  await mkdir(join(target, manifest.id), { recursive: true });
  const error = await failure();
  expect(error).toMatchObject({ kind: "check", message: expect.stringContaining("exists") });
  expect(await there()).toEqual([manifest.id]);
  await execa("sh", ["-c", error.hint ?? ""]);
  expect(await there()).toEqual([]);
});

test("a disk that is full is told, and nothing is left on it", async () => {
  await mkdir(target);
  await execa("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", target]);
  try {
    const error = await failure();
    expect(error).toMatchObject({
      kind: "unexpected",
      message: `the disk of ${target} is full, nothing was left there`,
    });
    expect((await execa("sh", ["-c", error.hint ?? ""])).stdout).toContain("tmpfs");
    expect(await there()).toEqual([]);
  } finally {
    await execa("umount", [target]);
  }
});

test("a target that is a file", async () => {
  await writeFile(target, "");
  expect(await failure()).toMatchObject({ kind: "unexpected", message: expect.stringContaining("cannot be written") });
});

test("an abort on the way leaves nothing, and is told as one", async () => {
  const abort = new AbortController();
  const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
  const aborting: typeof store.get = async (key, range) => {
    if (range?.offset === 40_000) abort.abort(reason);
    return await store.get(key, range);
  };
  const deps = backupDeps({ signal: abort.signal });
  const fetching = getBackup({ manifest, store: { ...store, get: aborting } }, target, deps);
  expect(await failure(fetching)).toBe(reason);
  expect(await there()).toEqual([]);
});

test("a store that fails half-way leaves nothing", async () => {
  const failing: typeof store.get = async (key, range) => {
    if (range?.offset !== 80_000) return await store.get(key, range);
    throw new SummitError("store", "gone");
  };
  expect(await failure(getBackup({ manifest, store: { ...store, get: failing } }, target, backupDeps()))).toMatchObject(
    {
      kind: "store",
    },
  );
  expect(await there()).toEqual([]);
});

test("what a killed fetch left is removed by the next one; that of one that runs is not", async () => {
  const url = pathToFileURL(join(target, "..", "store")).href;
  await keepSample(fileStore(url));
  const script = fileURLToPath(new URL("./cut-short.ts", import.meta.url));
  const fetch = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ["--import", "tsx", script, "", url, "get", target], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout as NodeJS.ReadableStream, "data");
    return child;
  };
  const killed = await fetch();
  const [left] = await there();
  expect(left).toMatch(new RegExp(`^${manifest.id}\\.unfinished-.*-${killed.pid}-\\d+$`));
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const running = await fetch();
  try {
    expect(await there()).toEqual([expect.stringContaining(`-${running.pid}-`)]);
    await get();
    expect((await there()).sort()).toEqual([manifest.id, expect.stringContaining(`-${running.pid}-`)]);
  } finally {
    running.kill("SIGKILL");
    await once(running, "exit");
  }
});

test("what is not known to be abandoned stays: another computer's, somebody's own, a name that only looks alike", async () => {
  const running = `${process.pid}-${await startTime(process.pid)}`;
  // A process of that number runs, but it is another one.
  const gone = `${process.pid}-1`;
  const stay = [
    `${manifest.id}.unfinished-elsewhere-${gone}`,
    `20250101T000000Z-yyyyyy.unfinished-${hostname()}-${running}`,
    `notes.unfinished-${hostname()}-${gone}`,
    `${manifest.id}.unfinished`,
  ];
  for (const name of [...stay, `20250101T000000Z-zzzzzz.unfinished-${hostname()}-${gone}`])
    await mkdir(join(target, name), { recursive: true });
  await get();
  expect((await there()).sort()).toEqual([...stay, manifest.id].sort());
});

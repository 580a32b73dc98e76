import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Remembered } from "../../../src/core/ports/object-memory.ts";
import { fileMemory } from "../../../src/providers/memory/file-memory.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summitctl-memory-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const values = (count: number, value: unknown = { a: [1, "ü"] }): Map<string, Remembered> =>
  new Map(Array.from({ length: count }, (_, at) => [`k/${at}`, { size: at, storedAt: 1000 + at, value }]));

const onlyFile = async (): Promise<string> => join(folder, (await readdir(folder))[0] as string);

test("what was kept is recalled, per scope", async () => {
  const memory = fileMemory(join(folder, "new", "one"));
  expect((await memory.recall("a")).size).toBe(0);
  await memory.keep("a", values(3));
  await memory.keep("b", values(1));
  expect(await fileMemory(join(folder, "new", "one")).recall("a")).toEqual(values(3));
  expect((await memory.recall("b")).size).toBe(1);
  expect((await memory.recall("c")).size).toBe(0);
});

test("nobody else can read it", async () => {
  await fileMemory(folder).keep("a", values(1));
  expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600);
});

describe("a damaged file is ignored, and replaced by the next one", () => {
  test.each<[string, (text: string) => string]>([
    ["empty", () => ""],
    ["cut", (text) => text.slice(0, text.length / 2)],
    ["altered, and still JSON", (text) => text.replace("k/1", "k/7")],
    ["of another form", (text) => text.replace("v1", "v2")],
    ["noise", () => "\0\n{}"],
  ])("%s", async (_what, change) => {
    const memory = fileMemory(folder);
    await memory.keep("a", values(3));
    const file = await onlyFile();
    await writeFile(file, change(await readFile(file, "utf8")));
    expect((await memory.recall("a")).size).toBe(0);
    await memory.keep("a", values(2));
    expect((await memory.recall("a")).size).toBe(2);
  });
});

test("bounded: the newest objects and the files that were used last", async () => {
  const memory = fileMemory(folder, { objects: 2, files: 2 });
  await memory.keep("a", values(5));
  expect([...(await memory.recall("a")).keys()].sort()).toEqual(["k/3", "k/4"]);
  for (const name of await readdir(folder)) await utimes(join(folder, name), 1, 1);
  await memory.keep("b", values(1));
  await memory.keep("c", values(1));
  expect(await readdir(folder)).toHaveLength(2);
  expect((await memory.recall("a")).size).toBe(0);
});

test("of many writers at once one wins, and no file is left over", async () => {
  const counts = [1, 200, 3000];
  await Promise.all(counts.map((count) => fileMemory(folder).keep("a", values(count))));
  expect(counts).toContain((await fileMemory(folder).recall("a")).size);
  expect(await readdir(folder)).toHaveLength(1);
});

test("where it cannot write it remembers nothing and does not fail", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  await chmod(file, 0o400);
  const memory = fileMemory(join(file, "below"));
  await memory.keep("a", values(1));
  expect((await memory.recall("a")).size).toBe(0);
});

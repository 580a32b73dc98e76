import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { markedFolder } from "../../../src/providers/stores/marked-folder.ts";
import { describeObjectStore } from "../../contracts/store.ts";

describeObjectStore("a folder that is marked", async () => {
  const folder = await mkdtemp(join(tmpdir(), "summit-marked-"));
  return {
    store: markedFolder(`file://${folder}/store`, join(folder, "memory")),
    inMemory: false,
    cleanup: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("a share that is not mounted", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-marked-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** As another process would open it. */
  const open = (memory = "memory") => markedFolder(`file://${folder}/store`, join(folder, memory));
  const away = { kind: "store", message: expect.stringContaining("than the store that this computer has used") };

  test.each(["missing", "empty"])("its folder is %s: nothing is read, and nothing is written", async (how) => {
    await open().put("a/b", Buffer.from("x"));
    await rename(join(folder, "store"), join(folder, "share"));
    if (how === "empty") await mkdir(join(folder, "store"));
    const before = await readdir(folder, { recursive: true });
    const store = open();
    await expect(store.list("")).rejects.toMatchObject(away);
    await expect(store.get("a/b")).rejects.toMatchObject(away);
    await expect(store.head("a/b")).rejects.toMatchObject(away);
    await expect(store.now()).rejects.toMatchObject(away);
    await expect(store.put("a/c", Buffer.from("y"))).rejects.toMatchObject(away);
    await expect(store.delete("a/b")).rejects.toMatchObject(away);
    await expect(store.removeUnfinished("a/")).rejects.toMatchObject(away);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  test("it is mounted again: the same process goes on", async () => {
    await open().put("a/b", Buffer.from("x"));
    await rename(join(folder, "store"), join(folder, "share"));
    const store = open();
    await expect(store.list("")).rejects.toMatchObject(away);
    await rename(join(folder, "share"), join(folder, "store"));
    expect((await store.list("")).map(({ key }) => key)).toEqual(["a/b"]);
  });

  test("another store in its place is refused too", async () => {
    await open().put("a/b", Buffer.from("x"));
    await rename(join(folder, "store"), join(folder, "share"));
    await open("others").put("c/d", Buffer.from("y"));
    await expect(open().list("")).rejects.toMatchObject({ kind: "store", message: expect.stringContaining("another") });
  });

  test("a computer that only read from it knows it too", async () => {
    await open().put("a/b", Buffer.from("x"));
    expect(await open("laptop").list("")).toHaveLength(1);
    await rm(join(folder, "store"), { recursive: true });
    await expect(open("laptop").list("")).rejects.toMatchObject(away);
  });

  test("to look at a store that was never used makes nothing", async () => {
    expect(await open().list("")).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  test("two first writers at once leave one mark", async () => {
    await Promise.all([open().put("a", Buffer.from("1")), open("laptop").put("b", Buffer.from("2"))]);
    expect(await open().list("")).toHaveLength(2);
    expect(await open("laptop").list("")).toHaveLength(2);
  });

  test("a mark that cannot be left is not remembered, and the next write leaves it", async () => {
    // A folder in its place: nothing can be linked there, whoever tries.
    await mkdir(join(folder, "store/.summitctl-store"), { recursive: true });
    await expect(open().put("a", Buffer.from("1"))).rejects.toMatchObject({ kind: "store" });
    await rm(join(folder, "store/.summitctl-store"), { recursive: true });
    await open().put("a", Buffer.from("1"));
    const names = await readdir(join(folder, "store"), { recursive: true });
    expect(names.filter((name) => name !== ".unfinished").sort()).toEqual([".summitctl-store", "a"]);
    expect(await open().list("")).toHaveLength(1);
  });
});

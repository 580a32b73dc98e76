import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { fileStore } from "../../../src/providers/stores/file.ts";
import { describeObjectStore, kindsOf } from "../../contracts/store.ts";

const urlOf = (folder: string): string => pathToFileURL(folder).href;

describeObjectStore("file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "summit-store-"));
  return {
    // A folder that is not there yet, with a name that a URL must escape.
    store: fileStore(urlOf(join(folder, "back ups%", "ü"))),
    inMemory: false,
    leaveUnfinished: async (key) => {
      const place = join(folder, "back ups%", "ü", ".unfinished", dirname(key));
      await mkdir(place, { recursive: true });
      // Of another computer, and young.
      await writeFile(join(place, "elsewhere.1.aa"), "x");
    },
    cleanup: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("file store", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-store-"));
  });
  afterEach(() => void vi.useRealTimers());
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string) => fileStore(urlOf(join(folder, name)));

  test("files and folders are for the owner only", async () => {
    const store = at("private");
    await store.put("a/b", Buffer.from("x"));
    const { stdout } = await execa("find", [join(folder, "private"), "-printf", "%m %P\n"]);
    expect(stdout.split("\n").sort()).toEqual(["600 a/b", "700 ", "700 .unfinished", "700 a"]);
  });

  test("the last object of a folder takes the folder with it", async () => {
    const store = at("folders");
    await store.put("a/b/c", Buffer.from("x"));
    await store.put("a/d", Buffer.from("x"));
    await store.delete("a/b/c");
    expect(await readdir(join(folder, "folders", "a"))).toEqual(["d"]);
  });

  test("times are the file system's, not this process's idea of them", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2001-01-01") });
    const { storedAt } = await at("clock").put("x", Buffer.from("x"));
    expect(storedAt.getFullYear()).toBeGreaterThan(2020);
  });

  test("what people put beside the objects is not listed", async () => {
    const store = at("visitors");
    await store.put("a/b", Buffer.from("x"));
    await writeFile(join(folder, "visitors", "a", "read me.txt"), "hello");
    await writeFile(join(folder, "visitors", ".DS_Store"), "hello");
    await mkdir(join(folder, "visitors", "lost+found"));
    expect((await store.list("")).map(({ key }) => key)).toEqual(["a/b"]);
  });

  test("an object cannot be put below another one", async () => {
    const store = at("below");
    await store.put("a", Buffer.from("x"));
    await expect(store.put("a/b", Buffer.from("x"))).rejects.toMatchObject({
      kind: "store",
      message: expect.stringContaining("a part of its path is a file"),
    });
  });

  test("a root that is a file is a failure of the store, whatever is asked", async () => {
    await writeFile(join(folder, "plain"), "x");
    const store = at("plain");
    const calls = [
      store.put("a", Buffer.from("x")),
      store.get("a"),
      store.head("a"),
      store.list(""),
      store.delete("a"),
      store.now(),
    ];
    expect(await kindsOf(calls)).toEqual(Array(6).fill("store"));
  });

  describe("on file systems of its own", () => {
    const mounts: string[] = [];
    async function mount(name: string, options: string) {
      const target = join(folder, name);
      await mkdir(target, { recursive: true });
      await execa("mount", ["-t", "tmpfs", "-o", options, "tmpfs", target]);
      mounts.push(target);
      return { store: at(name), target };
    }
    afterAll(async () => {
      for (const target of mounts) await execa("umount", [target]);
    });

    test("a full disk: kind store, said so, nothing left, smaller objects still fit", async () => {
      const { store, target } = await mount("full", "size=1m");
      const body = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024)));
      await expect(store.put("a/big", body)).rejects.toMatchObject({
        kind: "store",
        message: expect.stringContaining("the disk is full"),
        hint: "df -h",
      });
      expect(body.destroyed).toBe(true);
      expect(await store.list("")).toEqual([]);
      expect(await readdir(join(target, ".unfinished"))).toEqual([]);
      await store.put("a/small", Buffer.from("x"));
    });

    test("a read-only folder: what is there can be read, nothing can be written", async () => {
      const { store, target } = await mount("readonly", "size=1m");
      await store.put("a/b", Buffer.from("x"));
      await execa("mount", ["-o", "remount,ro", target]);
      const refused = { kind: "store", message: expect.stringContaining("it is mounted read-only") };
      const body = Readable.from([Buffer.from("x")]);
      await expect(store.put("a/c", body)).rejects.toMatchObject(refused);
      expect(body.destroyed).toBe(true);
      await expect(store.delete("a/b")).rejects.toMatchObject(refused);
      await expect(store.now()).rejects.toMatchObject(refused);
      expect((await store.list("")).map(({ key }) => key)).toEqual(["a/b"]);
    });
  });

  test("a writer killed half-way leaves nothing visible, and the next writer removes the rest", async () => {
    const root = join(folder, "killed");
    const child = startWriter(root, "a/b");
    await once(child.stdout, "data");
    const unfinished = join(root, ".unfinished");
    expect(await readdir(unfinished)).toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = fileStore(urlOf(root));
    expect(await store.list("")).toEqual([]);
    expect(await readdir(root)).toEqual([".unfinished"]);
    expect(await readdir(unfinished)).toHaveLength(1);
    await store.put("a/b", Buffer.from("x"));
    expect(await readdir(unfinished)).toEqual([]);
  });

  test("what others are writing stays, however old: living ones here, and those elsewhere", async () => {
    const root = join(folder, "others");
    const unfinished = join(root, ".unfinished");
    await mkdir(join(unfinished, "a"), { recursive: true });
    const names = [`${hostname()}.${process.pid}.aa`, `${hostname()}.1.bb`, "elsewhere.1.cc"];
    for (const name of names) await writeFile(join(unfinished, "a", name), "x");
    await utimes(join(unfinished, "a", "elsewhere.1.cc"), 0, 0);
    await fileStore(urlOf(root)).put("a", Buffer.from("x"));
    expect((await readdir(join(unfinished, "a"))).sort()).toEqual(names.sort());
  });

  test("objects are written side by side while the folders of their unfinished names come and go", async () => {
    const store = at("busy");
    const puts = Array.from({ length: 60 }, (_, index) => store.put(`a/b/${index}`, Buffer.from("x")));
    await Promise.all([...puts, ...Array.from({ length: 20 }, () => store.removeUnfinished("c/"))]);
    expect(await store.list("a/b/")).toHaveLength(60);
    expect(await readdir(join(folder, "busy", ".unfinished"))).toEqual([]);
  });
});

/** A process that puts an object whose body never ends. Prints once some of it was read. */
function startWriter(root: string, key: string) {
  const script = `
    import { fileStore } from ${JSON.stringify(new URL("../../../src/providers/stores/file.ts", import.meta.url).href)};
    import { Readable } from "node:stream";
    let count = 0;
    const body = new Readable({ read() {
      if (++count === 50) return void process.stdout.write("writing\\n");
      if (count < 50) this.push(Buffer.alloc(65536));
    } });
    setInterval(() => {}, 1000);
    await fileStore(${JSON.stringify(urlOf(root))}).put(${JSON.stringify(key)}, body);
  `;
  return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

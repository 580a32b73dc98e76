import { createHash } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ObjectStore } from "../../src/core/ports/store.ts";

export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** It keeps whole objects in memory, so a big one proves nothing. */
  readonly inMemory: boolean;
  /** Milliseconds that times of the store are rounded by, up or down. */
  readonly clockStep?: number;
  /** How often objects come and go beside others; fewer where each takes several requests. */
  readonly rounds?: number;
  /** Begins an object in the way that a killed writer leaves it. */
  leaveUnfinished?(key: string): Promise<void>;
  cleanup(): Promise<void>;
}

const MIB = 1024 * 1024;

/** What every ObjectStore promises. */
export function describeObjectStore(name: string, setup: () => Promise<StoreUnderTest>): void {
  describe(`object store contract: ${name}`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;
    let count = 0;
    /** A prefix that no other test uses. */
    const place = (): string => `case${++count}/`;

    beforeAll(async () => {
      under = await setup();
      store = under.store;
    });
    afterAll(() => under?.cleanup());

    const text = async (key: string): Promise<string> => (await buffer(await store.get(key))).toString("utf8");
    const keys = async (prefix: string): Promise<string[]> => (await store.list(prefix)).map(({ key }) => key).sort();

    test("an object comes back as it was put, and put, head and list tell the same of it", async () => {
      const key = `${place()}a/b.json`;
      const info = await store.put(key, Buffer.from("hello"));
      expect(info).toMatchObject({ key, size: 5 });
      expect(await text(key)).toBe("hello");
      expect(await store.head(key)).toEqual(info);
      expect(await store.list(key.slice(0, key.lastIndexOf("/") + 1))).toEqual([info]);
    });

    test("an object of no bytes is an object", async () => {
      const prefix = place();
      await store.put(`${prefix}bytes`, new Uint8Array(0));
      await store.put(`${prefix}stream`, Readable.from([]));
      expect(await keys(prefix)).toEqual([`${prefix}bytes`, `${prefix}stream`]);
      expect(await store.head(`${prefix}stream`)).toMatchObject({ size: 0 });
      expect(await text(`${prefix}stream`)).toBe("");
    });

    test("an object never changes: a second put is refused and reads nothing away", async () => {
      const key = `${place()}once`;
      const first = await store.put(key, Buffer.from("first"));
      await expect(store.put(key, Buffer.from("second"))).rejects.toMatchObject({ kind: "check" });
      await expect(store.put(key, Readable.from([Buffer.from("third")]))).rejects.toMatchObject({ kind: "check" });
      expect(await text(key)).toBe("first");
      expect(await store.head(key)).toEqual(first);
    });

    test("a put that began first and ends second is refused, and what is there stays", async () => {
      const key = `${place()}late`;
      const body = new PassThrough();
      const late = store.put(key, body);
      late.catch(() => undefined);
      body.write(Buffer.alloc(MIB));
      await once(body, "drain");
      await store.put(key, Buffer.from("first"));
      body.end();
      await expect(late).rejects.toMatchObject({ kind: "check" });
      expect(await text(key)).toBe("first");
    });

    test("of puts of one key at once exactly one wins, whole, where exclusive creation is claimed", async () => {
      // Where it is not, the winner may be told twice; what stands is whole in any case.
      const { exclusiveCreate } = await store.capabilities();
      const key = `${place()}race`;
      const bodies = Array.from({ length: 8 }, (_, index) => String(index).repeat(300_000));
      const results = await Promise.allSettled(bodies.map((body) => store.put(key, slowly(body))));
      const won = results.flatMap((result, index) => (result.status === "fulfilled" ? [index] : []));
      const lost = results.filter((result) => result.status === "rejected");
      expect(lost.map(({ reason }) => reason.kind)).toEqual(Array(8 - won.length).fill("check"));
      expect(bodies).toContain(await text(key));
      if (!exclusiveCreate) return;
      expect(won).toHaveLength(1);
      expect(await text(key)).toBe(bodies[won[0] ?? -1]);
    });

    test("a body that fails half-way leaves nothing, and its own error is told", async () => {
      const prefix = place();
      const failure = new Error("the source went away");
      async function* body() {
        yield Buffer.alloc(100_000);
        throw failure;
      }
      await expect(store.put(`${prefix}half`, Readable.from(body()))).rejects.toBe(failure);
      expect(await store.list(prefix)).toEqual([]);
      expect(await store.head(`${prefix}half`)).toBeUndefined();
      await store.put(`${prefix}half`, Buffer.from("later"));
    });

    test("a body that is destroyed half-way leaves nothing", async () => {
      const key = `${place()}half`;
      const body = new PassThrough();
      const putting = store.put(key, body);
      body.write(Buffer.alloc(10_000));
      setImmediate(() => body.destroy());
      await expect(putting).rejects.toThrow();
      expect(await store.head(key)).toBeUndefined();
    });

    test("an abort half-way ends with its reason, destroys the body and leaves nothing", async () => {
      const prefix = place();
      const abort = new AbortController();
      const reason = new Error("ctrl-c");
      const body = new PassThrough();
      const putting = store.put(`${prefix}half`, body, abort.signal);
      body.write(Buffer.alloc(10_000));
      setImmediate(() => abort.abort(reason));
      await expect(putting).rejects.toBe(reason);
      expect(body.destroyed).toBe(true);
      expect(await store.list(prefix)).toEqual([]);
    });

    test("after an abort nothing is begun", async () => {
      const key = `${place()}never`;
      const body = Readable.from([Buffer.from("x")]);
      const reason = new Error("ctrl-c");
      await expect(store.put(key, body, AbortSignal.abort(reason))).rejects.toBe(reason);
      await expect(store.put(key, Buffer.from("x"), AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(body.destroyed).toBe(true);
      expect(await store.head(key)).toBeUndefined();
    });

    test("an object is not visible before its body has ended", async () => {
      const prefix = place();
      const body = new PassThrough();
      const putting = store.put(`${prefix}slow`, body);
      body.write(Buffer.alloc(MIB));
      await once(body, "drain");
      expect(await store.list(prefix)).toEqual([]);
      expect(await store.head(`${prefix}slow`)).toBeUndefined();
      body.end();
      await putting;
      expect(await keys(prefix)).toEqual([`${prefix}slow`]);
    });

    test.each([
      [0, 4, "0123"],
      [3, 4, "3456"],
      [8, 2, "89"],
      [8, 100, "89"],
      [4, 0, ""],
      [10, 5, ""],
    ])("a range: %i bytes in, %i long", async (offset, length, expected) => {
      const key = `${place()}digits`;
      await store.put(key, Buffer.from("0123456789"));
      expect((await buffer(await store.get(key, { offset, length }))).toString()).toBe(expected);
    });

    test("what is not there: get says kind store, head undefined, list nothing, delete nothing", async () => {
      const prefix = place();
      await expect(store.get(`${prefix}none`)).rejects.toMatchObject({ kind: "store" });
      expect(await store.head(`${prefix}none`)).toBeUndefined();
      expect(await store.list(prefix)).toEqual([]);
      await store.delete(`${prefix}none`);
    });

    test("what is deleted is gone, again without error, and may be made anew", async () => {
      const key = `${place()}deep/er/x`;
      await store.put(key, Buffer.from("1"));
      await store.delete(key);
      await store.delete(key);
      expect(await store.head(key)).toBeUndefined();
      await store.put(key, Buffer.from("2"));
      expect(await text(key)).toBe("2");
    });

    test("a prefix is not an object, and an object is not a prefix", async () => {
      const prefix = place();
      await store.put(`${prefix}a/b`, Buffer.from("x"));
      expect(await store.head(`${prefix}a`)).toBeUndefined();
      await expect(store.get(`${prefix}a`)).rejects.toMatchObject({ kind: "store" });
      expect(await store.head(`${prefix}a/b/c`)).toBeUndefined();
      expect(await store.list(`${prefix}a/b/`)).toEqual([]);
      await store.delete(`${prefix}a`);
      await store.delete(`${prefix}a/b/c`);
      expect(await keys(prefix)).toEqual([`${prefix}a/b`]);
    });

    test("list keeps prefixes apart that begin alike, and lists everything for the empty one", async () => {
      const prefix = place();
      for (const key of ["a/1", "ab/2", "a/deep/3"]) await store.put(prefix + key, Buffer.from(key));
      expect(await keys(`${prefix}a/`)).toEqual([`${prefix}a/1`, `${prefix}a/deep/3`]);
      expect(await keys(prefix)).toEqual(["a/1", "a/deep/3", "ab/2"].map((key) => prefix + key).sort());
      expect(await keys("")).toEqual(expect.arrayContaining([`${prefix}ab/2`]));
      await expect(store.list(`${prefix}a`)).rejects.toMatchObject({ kind: "unexpected" });
    });

    test("objects come and go while others are listed and put beside them", async () => {
      const prefix = place();
      await store.put(`${prefix}steady/x`, Buffer.from("x"));
      const churn = async (name: string) => {
        for (let round = 0; round < (under.rounds ?? 40); round += 1) {
          await store.put(`${prefix}churn/${name}`, Buffer.from("y"));
          await store.delete(`${prefix}churn/${name}`);
          await new Promise(setImmediate);
        }
      };
      let over = false;
      const done = Promise.all(["a", "b", "c"].map(churn)).finally(() => {
        over = true;
      });
      let looks = 0;
      for (; !over; looks += 1) {
        expect(await keys(prefix)).toEqual(expect.arrayContaining([`${prefix}steady/x`]));
        await new Promise(setImmediate);
      }
      await done;
      expect(looks).toBeGreaterThan(3);
      expect(await keys(prefix)).toEqual([`${prefix}steady/x`]);
    });

    test("the time of an object is when it was complete, by the store's clock", async () => {
      const prefix = place();
      const step = under.clockStep ?? 0;
      const before = await store.now();
      const slow = new PassThrough();
      const slowPut = store.put(`${prefix}a-begun-first`, slow);
      slow.write("x");
      const quick = await store.put(`${prefix}b-begun-second`, Buffer.from("y"));
      await waitForTick(store, new Date(quick.storedAt.getTime() + step));
      slow.end();
      const late = await slowPut;
      expect(quick.storedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
      expect(late.storedAt.getTime()).toBeGreaterThan(quick.storedAt.getTime());
      expect((await store.now()).getTime()).toBeGreaterThanOrEqual(late.storedAt.getTime() - step);
    });

    test("what a killed writer left under a prefix is removed with it, and nothing else", async () => {
      const prefix = place();
      await store.put(`${prefix}a/finished`, Buffer.from("x"));
      await under.leaveUnfinished?.(`${prefix}a/begun`);
      await under.leaveUnfinished?.(`${prefix}ab/begun`);
      const left = under.leaveUnfinished === undefined ? 0 : 1;
      expect(await keys(prefix)).toEqual([`${prefix}a/finished`]);
      expect(await store.removeUnfinished(`${prefix}a/`)).toBe(left);
      expect(await store.removeUnfinished(`${prefix}a/`)).toBe(0);
      expect(await store.removeUnfinished(prefix)).toBe(left);
      expect(await keys(prefix)).toEqual([`${prefix}a/finished`]);
      await expect(store.removeUnfinished(`${prefix}a`)).rejects.toMatchObject({ kind: "unexpected" });
      await expect(store.removeUnfinished("../")).rejects.toMatchObject({ kind: "usage" });
    });

    test.each([
      "",
      "/",
      "/etc/passwd",
      "a/",
      "a//b",
      "../x",
      "a/../b",
      ".",
      "..",
      "a/.",
      ".hidden",
      "a/.unfinished",
      "a\0b",
      "a\nb",
      "a b",
      "a\\b",
      "a:b",
      "ä",
      "$(id)",
      "x".repeat(1001),
    ])("the key %j is refused everywhere", async (key) => {
      const calls = [store.put(key, Buffer.from("x")), store.get(key), store.head(key), store.delete(key)];
      expect(await kindsOf(calls)).toEqual(Array(4).fill("usage"));
      if (key !== "") await expect(store.list(`${key}/`)).rejects.toMatchObject({ kind: "usage" });
    });

    test("keys that look like options or holds equals signs are plain keys", async () => {
      const prefix = place();
      for (const key of ["-rf", "a=2Fb", "@x", "x.dump.bz2", "x".repeat(200)]) {
        await store.put(prefix + key, Buffer.from(key));
        expect(await text(prefix + key)).toBe(key);
      }
    });

    test("a big object flows through, in memory that does not grow with it", async () => {
      // Far more than the garbage that may wait to be collected.
      const megabytes = under.inMemory ? 20 : 250;
      const key = `${place()}big`;
      const sent = createHash("sha256");
      let made = 0;
      const body = new Readable({
        read() {
          if (made === megabytes) return void this.push(null);
          made += 1;
          const chunk = Buffer.alloc(MIB, made);
          sent.update(chunk);
          this.push(chunk);
        },
      });
      const before = process.memoryUsage.rss();
      let peak = before;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss());
      }, 5);
      expect((await store.put(key, body)).size).toBe(megabytes * MIB);
      const got = createHash("sha256");
      for await (const chunk of await store.get(key)) got.update(chunk as Buffer);
      clearInterval(watch);
      expect(got.digest("hex")).toBe(sent.digest("hex"));
      if (!under.inMemory) expect(peak - before).toBeLessThan(125 * MIB);
      await store.delete(key);
    });
  });
}

/** The kinds of the errors that calls ended with. */
export async function kindsOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  return (await Promise.allSettled(calls)).map((result) =>
    result.status === "rejected" ? result.reason.kind : "resolved",
  );
}

/** In pieces, with turns for others between them. */
function slowly(body: string): Readable {
  async function* pieces() {
    for (let at = 0; at < body.length; at += 50_000) {
      await new Promise(setImmediate);
      yield Buffer.from(body.slice(at, at + 50_000));
    }
  }
  return Readable.from(pieces());
}

async function waitForTick(store: ObjectStore, time: Date): Promise<void> {
  while ((await store.now()).getTime() <= time.getTime()) await new Promise(setImmediate);
}

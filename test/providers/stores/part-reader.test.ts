import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { PartReader } from "../../../src/providers/stores/part-reader.ts";

async function partsOf(body: Readable | Uint8Array, size: number): Promise<string[]> {
  const reader = new PartReader(body);
  const found: string[] = [];
  for (;;) {
    const { bytes, last } = await reader.read(size);
    found.push(bytes.toString());
    if (last) return found;
  }
}

test.each([
  [[], 4, [""]],
  [["abc"], 4, ["abc"]],
  [["abcd"], 4, ["abcd", ""]],
  [["a", "b", "c", "d", "e"], 2, ["ab", "cd", "e"]],
  [["abcdefghij"], 4, ["abcd", "efgh", "ij"]],
  [["", "ab", "", "cdefg"], 3, ["abc", "def", "g"]],
])("%j in parts of %i", async (chunks, size, expected) => {
  expect(await partsOf(Readable.from(chunks.map((text) => Buffer.from(text))), size)).toEqual(expected);
  expect(await partsOf(Buffer.from(chunks.join("")), size)).toEqual(expected);
});

test("parts bigger than the first buffer are whole", async () => {
  const body = Buffer.alloc(3_000_000, "0123456789");
  const reader = new PartReader(Readable.from([body.subarray(0, 999_999), body.subarray(999_999)]));
  const parts = [await reader.read(1_500_000), await reader.read(2_000_000)];
  expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(body)).toBe(true);
  expect(parts.map(({ last }) => last)).toEqual([false, true]);
});

test("each part has memory of its own: the one before is still being sent", async () => {
  const reader = new PartReader(Readable.from([Buffer.from("aabb")]));
  const first = await reader.read(2);
  await reader.read(2);
  expect(first.bytes.toString()).toBe("aa");
});

test("memory of a part that was sent is used again, for parts of any size", async () => {
  const text = "0123456789".repeat(300_000);
  const reader = new PartReader(Readable.from([Buffer.from(text)]));
  const sizes = [1_000_000, 500_000, 1_200_000, 1_000_000];
  const found: string[] = [];
  const memory = new Set<ArrayBufferLike>();
  for (const size of sizes) {
    const part = await reader.read(size);
    found.push(part.bytes.toString());
    memory.add(part.bytes.buffer);
    reader.release(part);
  }
  expect(found.map(({ length }) => length)).toEqual([1_000_000, 500_000, 1_200_000, 300_000]);
  expect(found.join("")).toBe(text);
  expect(memory.size).toBe(2);
});

test("the body's own error is thrown as it is", async () => {
  const failure = new Error("pg_dump died");
  async function* body() {
    yield Buffer.from("ab");
    throw failure;
  }
  await expect(partsOf(Readable.from(body()), 10)).rejects.toBe(failure);
});

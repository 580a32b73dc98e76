import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AgeHeader,
  headerIsSound,
  readHeader,
  rewrapFileKey,
  unwrapFileKey,
} from "../../../src/backup/encryption/age-header.ts";
import { ageDecryption } from "../../../src/backup/encryption/age-payload.ts";
import { replaceHead } from "../../../src/backup/encryption/replace-head.ts";
import { type AgeIdentity, generateIdentity, parseIdentities } from "../../../src/core/age-keys.ts";
import { Secret } from "../../../src/core/secret.ts";
import { type Age, realAge } from "../../support/age.ts";

const CHUNK = 64 * 1024;
const PLAIN = randomBytes(3 * CHUNK + 5);

describe("files of the real age", () => {
  let age: Age;
  let mine: AgeIdentity;
  let stored: Buffer;
  let header: AgeHeader;
  let key: Buffer;

  beforeAll(async () => {
    age = await realAge();
    const pairs = await Promise.all([1, 2, 3].map(() => age.keygen()));
    [mine] = parseIdentities(new Secret(pairs[1]?.text ?? ""), "it");
    stored = await age.encrypt(
      PLAIN,
      pairs.flatMap(({ recipient }) => ["-r", recipient]),
    );
    header = readHeader(stored) as AgeHeader;
    key = unwrapFileKey(header, [generateIdentity().identity, mine]) as Buffer;
  });
  afterAll(() => age?.[Symbol.asyncDispose]());

  /** In pieces of a size, so that every border falls everywhere. */
  const through = (body: Buffer, stage: NodeJS.ReadWriteStream, size: number) =>
    buffer(
      Readable.from(
        Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size)),
      ).compose(stage as never),
    );

  test.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, PLAIN.length])(
    "%i bytes are decrypted, and opened by the real one behind another head",
    async (size) => {
      const plain = PLAIN.subarray(0, size);
      const file = await age.encrypt(plain, ["-r", mine.recipient]);
      const head = readHeader(file) as AgeHeader;
      const fileKey = unwrapFileKey(head, [mine]) as Buffer;
      for (const piece of [1000, 65_552, 1_000_000])
        expect((await through(file, ageDecryption(fileKey, head.bytes.length), piece)).equals(plain)).toBe(true);
      const once = rewrapFileKey(fileKey);
      const other = await through(file, replaceHead(head.bytes, once.header), 100);
      expect((await age.decrypt(other, once.identity.reveal())).equals(plain)).toBe(true);
      expect(other.subarray(once.header.length).equals(file.subarray(head.bytes.length))).toBe(true);
    },
  );

  test("of several recipients each can open it, nobody else, and the head is as it was made", () => {
    expect(header.stanzas).toHaveLength(3);
    expect(key).toHaveLength(16);
    expect(headerIsSound(header, key)).toBe(true);
    expect(unwrapFileKey(header, [generateIdentity().identity])).toBeUndefined();
  });

  test("the one-time identity opens nothing else, and the real identity not its head", async () => {
    const once = rewrapFileKey(key);
    await expect(age.decrypt(stored, once.identity.reveal())).rejects.toThrow(/no identity matched/);
    expect(unwrapFileKey(readHeader(once.header) as AgeHeader, [mine])).toBeUndefined();
    expect(rewrapFileKey(key).identity.reveal()).not.toBe(once.identity.reveal());
  });

  const flipped = (body: Buffer, at: number) => {
    const copy = Buffer.from(body);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  test("a bit anywhere in the head is seen", () => {
    for (let at = 0; at < header.bytes.length; at += 1) {
      const found = readHeader(flipped(stored, at));
      const opened = found === undefined ? undefined : unwrapFileKey(found, [mine]);
      expect(found !== undefined && opened !== undefined && headerIsSound(found, opened), `byte ${at}`).toBe(false);
    }
  });

  test("a recipient that was added or taken away is seen, though the key is found", () => {
    const text = stored.subarray(0, header.bytes.length).toString("latin1");
    const taken = readHeader(Buffer.from(text.replace(/-> X25519 [^-]+/, ""), "latin1")) as AgeHeader;
    expect(unwrapFileKey(taken, [mine])).toEqual(key);
    expect(headerIsSound(taken, key)).toBe(false);
  });

  test("a head that is cut, or none, is none", () => {
    for (let length = 0; length < header.bytes.length; length += 1)
      expect(readHeader(stored.subarray(0, length))).toBeUndefined();
    expect(readHeader(Buffer.from("BZh91AY&SY"))).toBeUndefined();
    expect(readHeader(Buffer.from("age-encryption.org/v2\n"))).toBeUndefined();
  });

  test.each<[string, (body: Buffer, from: number) => Buffer]>([
    ["a bit of the first chunk", (body, from) => flipped(body, from + 16)],
    ["a bit of the nonce", (body, from) => flipped(body, from)],
    ["a bit of the last sum", (body) => flipped(body, body.length - 1)],
    ["one byte less", (body) => body.subarray(0, -1)],
    ["without its last chunk", (body, from) => body.subarray(0, from + 16 + 3 * (CHUNK + 16))],
    ["cut within a chunk", (body, from) => body.subarray(0, from + 16 + CHUNK)],
    ["cut in the nonce", (body, from) => body.subarray(0, from + 7)],
    ["nothing but its head", (body, from) => body.subarray(0, from)],
    ["more behind its end", (body) => Buffer.concat([body, Buffer.from("more")])],
    [
      "two chunks in another order",
      (body, from) => {
        const at = (chunk: number) => from + 16 + chunk * (CHUNK + 16);
        return Buffer.concat([
          body.subarray(0, at(0)),
          body.subarray(at(1), at(2)),
          body.subarray(at(0), at(1)),
          body.subarray(at(2)),
        ]);
      },
    ],
  ])("%s: refused here as the real one does", async (_what, change) => {
    const changed = change(stored, header.bytes.length);
    await expect(through(changed, ageDecryption(key, header.bytes.length), 10_000)).rejects.toMatchObject({
      kind: "verification",
      message: expect.stringContaining("cannot be decrypted"),
    });
    const once = rewrapFileKey(key);
    const real = Buffer.concat([once.header, changed.subarray(header.bytes.length)]);
    await expect(age.decrypt(real, once.identity.reveal())).rejects.toThrow();
  });

  test("a file whose head changed since it was looked at is not passed on", async () => {
    const once = rewrapFileKey(key);
    for (const changed of [flipped(stored, 100), stored.subarray(0, 50)])
      await expect(through(changed, replaceHead(header.bytes, once.header), 64)).rejects.toMatchObject({
        kind: "verification",
      });
  });
});

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { PART_SIZE } from "../../src/backup/manifest.ts";
import { StoredMeter } from "../../src/backup/stored-meter.ts";

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

test.each([0, 1, PART_SIZE - 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE, 2 * PART_SIZE + 7])(
  "%i bytes are measured the same, however they come in",
  (size) => {
    const data = Buffer.alloc(size, "0123456789abcdefg");
    const parts = Array.from({ length: Math.ceil(size / PART_SIZE) }, (_, index) =>
      sha256(data.subarray(index * PART_SIZE, (index + 1) * PART_SIZE)),
    );
    for (const step of [1_000_003, PART_SIZE, size + 1]) {
      const meter = new StoredMeter();
      for (let at = 0; at < size; at += step) meter.add(data.subarray(at, at + step));
      expect(meter.measure()).toEqual({ bytes: size, sha256: sha256(data), partSize: PART_SIZE, parts });
    }
  },
);

test("measuring half-way changes nothing", () => {
  const meter = new StoredMeter();
  meter.add(Buffer.from("ab"));
  meter.measure();
  meter.add(Buffer.from("c"));
  expect(meter.measure()).toMatchObject({
    bytes: 3,
    sha256: sha256(Buffer.from("abc")),
    parts: [sha256(Buffer.from("abc"))],
  });
});

import { expect, test } from "vitest";
import { FIRST_PART_SIZE, partSize } from "../../../src/providers/stores/part-size.ts";

const GIB = 1024 ** 3;
const sum = (maxParts: number, upTo = maxParts): number =>
  Array.from({ length: upTo }, (_, index) => partSize(index + 1, maxParts)).reduce((a, b) => a + b, 0);

test.each([
  [10_000, 5 * 1024 * GIB],
  [1000, 500 * GIB],
  [100, 5 * GIB],
])("%i parts hold at least %i bytes", (maxParts, bytes) => {
  expect(sum(maxParts)).toBeGreaterThan(bytes);
});

test("parts never shrink, are whole pieces of the manifest's and small enough for every server", () => {
  for (const maxParts of [100, 1000, 10_000]) {
    for (let number = 1; number < maxParts; number += 1) {
      const size = partSize(number, maxParts);
      expect(size % FIRST_PART_SIZE).toBe(0);
      expect(partSize(number + 1, maxParts)).toBeGreaterThanOrEqual(size);
      expect(size).toBeLessThanOrEqual(2 * GIB);
    }
  }
});

test("as long as an object is not huge its parts are small: 5 GB of 1,000 parts, 60 GB of 10,000", () => {
  expect(sum(1000, 400)).toBeGreaterThan(5e9);
  expect(partSize(400, 1000)).toBe(FIRST_PART_SIZE);
  expect(sum(10_000, 4000)).toBeGreaterThan(60e9);
  expect(partSize(4000, 10_000)).toBe(FIRST_PART_SIZE);
});

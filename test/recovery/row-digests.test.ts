import { expect, test } from "vitest";
import { compareDigests, type RowDigests } from "../../src/recovery/row-digests.ts";

const BEFORE: RowDigests = [
  ["public", "room", 40, "111"],
  ["public", "slot", 2, "222"],
  ["a.b", "c", 0, "0"],
];

test("equal tables count with their rows", () => {
  expect(compareDigests(BEFORE, [...BEFORE].reverse())).toEqual({ equal: 42, total: 42, differing: [] });
});

test.each([
  ["another content of as many rows", [["public", "room", 40, "112"]]],
  ["another number of rows of an equal sum", [["public", "room", 41, "111"]]],
  ["a table of that name in another schema", [["other", "room", 40, "111"]]],
] as [string, RowDigests][])("%s is a difference", (_what, room) => {
  const after = [...room, ...BEFORE.slice(1)];
  expect(compareDigests(BEFORE, after)).toMatchObject({
    equal: 2,
    total: 42,
    differing: expect.arrayContaining(["public.room"]),
  });
});

test("a table that is gone is a difference", () => {
  expect(compareDigests(BEFORE, BEFORE.slice(0, 2))).toMatchObject({ equal: 42, differing: ["a.b.c"] });
});

test("a table that nobody had before is a difference too", () => {
  expect(compareDigests(BEFORE, [...BEFORE, ["public", "ghost", 1, "9"]])).toMatchObject({
    differing: ["public.ghost"],
  });
});

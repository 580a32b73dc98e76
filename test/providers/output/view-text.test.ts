import { Chalk } from "chalk";
import { expect, test } from "vitest";
import { viewText } from "../../../src/providers/output/view-text.ts";

const style = { chalk: new Chalk({ level: 1 }), columns: undefined };
const rows = (count: number): string[][] =>
  Array.from({ length: count }, (_, at) => [`row ${at % 7}`, "x".repeat(at % 5), at % 2 === 0 ? "" : "why\u001b[2J"]);
const lines = (count: number): string[] =>
  viewText([{ head: ["id", "", "why"], rows: rows(count) }], style).split("\n");

test("a long table looks as a short one does", () => {
  const long = lines(501);
  expect(long).toHaveLength(503);
  expect(long.slice(0, 100)).toEqual(lines(99).slice(0, 100));
});

test("a very long one takes no time that grows with its square", () => {
  const began = performance.now();
  expect(lines(60_000)).toHaveLength(60_002);
  expect(performance.now() - began).toBeLessThan(5000);
});

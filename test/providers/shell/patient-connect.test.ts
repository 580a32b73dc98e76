import { expect, test } from "vitest";
import { pauseAfter } from "../../../src/providers/shell/patient-connect.ts";

const pauses = (again: "soon" | "slowly"): number[] =>
  [1, 2, 3, 4, 8, 20].map((tries) => Number(pauseAfter(tries, again).toFixed(2)));

test("pauses grow to one second, and after refused logins to four", () => {
  expect(pauses("soon")).toEqual([0.1, 0.15, 0.23, 0.34, 1, 1]);
  expect(pauses("slowly")).toEqual([1, 2, 4, 4, 4, 4]);
});

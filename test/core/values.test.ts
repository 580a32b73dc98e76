import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/core/digest.ts";
import { EXIT, exitCode, isSummitError, SummitError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { durationText, utcStamp } from "../../src/core/time.ts";

test("a secret prints as nothing but itself when asked", () => {
  const secret = new Secret("hunter2");
  const shown = [`${secret}`, JSON.stringify({ secret }), inspect({ secret }, { showHidden: true }), String([secret])];
  expect(shown.join("\n")).not.toContain("hunter2");
  expect(secret.reveal()).toBe("hunter2");
});

test("equal values have equal canonical JSON, whatever the order of their keys", () => {
  expect(canonicalJson({ b: [{ y: 1, x: 2 }], a: null })).toBe(canonicalJson({ a: null, b: [{ x: 2, y: 1 }] }));
  expect(canonicalJson(["b", "a"])).toBe('["b","a"]');
});

describe("errors", () => {
  test("the public exit codes are those of the design", () => {
    expect(Object.fromEntries(Object.entries(EXIT).map(([kind, { code }]) => [kind, code]))).toEqual({
      ok: 0,
      unexpected: 1,
      usage: 2,
      config: 3,
      check: 4,
      locked: 5,
      remote: 6,
      store: 7,
      verification: 8,
      incomplete: 9,
      missed: 10,
      interrupted: 130,
    });
    expect(exitCode("locked")).toBe(5);
  });

  test("are recognised by their brand", () => {
    expect(isSummitError(new SummitError("check", "x"))).toBe(true);
    expect(isSummitError(Object.assign(new Error("x"), { kind: "check" }))).toBe(false);
    expect(isSummitError(undefined)).toBe(false);
  });
});

test.each([
  [0, "0 s"],
  [0.44, "0.4 s"],
  [41.2, "41 s"],
  [60, "1 min"],
  [7500, "2 h 5 min"],
  [90_000, "1 d 1 h"],
  [-3, "-3 s"],
  [Number.NaN, "unknown"],
])("%d seconds are %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test("a stamp is UTC and sorts", () => {
  expect(utcStamp(new Date("2026-11-22T14:38:00.999Z"))).toBe("20261122T143800Z");
});

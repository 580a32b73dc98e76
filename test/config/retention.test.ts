import { describe, expect, test } from "vitest";
import { configOf, HEAD, problemsOf } from "./config-fixture.ts";

test("without it there is none", () => {
  expect(configOf(HEAD).retention).toBeUndefined();
});

test.each([
  ["36h", 36 * 3600],
  ["14d", 14 * 86_400],
  ["8w", 56 * 86_400],
])("what is not named keeps nothing, but for a floor of three; within %s", (within, seconds) => {
  expect(configOf(`${HEAD}retention: { daily: 14, within: ${within} }\n`).retention).toEqual({
    last: 0,
    hourly: 0,
    daily: 14,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    within: seconds,
    floor: 3,
  });
});

test("a store may have its own, of either kind", () => {
  for (const url of ["file:///b", "s3://bucket/b"]) {
    const text = HEAD.replace(/^stores:.*$/m, `stores: [{ url: "${url}", retention: { last: 2, floor: 1 } }]`);
    expect(configOf(text).stores[0]?.retention).toMatchObject({ last: 2, floor: 1, daily: 0 });
  }
});

describe("what is refused", () => {
  test.each([
    ["{ floor: 5 }", /names nothing to keep/],
    ["{}", /names nothing to keep/],
    ["{ last: 0, daily: 0 }", /names nothing to keep/],
    ["{ last: -1 }", /retention.last/],
    ["{ last: 1.5 }", /retention.last/],
    ["{ last: 3, floor: 0 }", /retention.floor/],
    ["{ last: 3, within: 14 }", /retention.within/],
    ["{ last: 3, within: 14m }", /retention.within/],
    ["{ last: 3, dayly: 14 }", /did you mean "daily"/],
    ["14d", /retention/],
  ])("%s", (value, problem) => {
    expect(problemsOf(`${HEAD}retention: ${value}\n`).join("\n")).toMatch(problem);
  });
});

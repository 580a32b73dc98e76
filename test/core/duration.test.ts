import { expect, test } from "vitest";
import { secondsOf } from "../../src/core/duration.ts";

test.each([
  ["0", 0],
  ["90", 90],
  ["10m", 600],
  ["1h30m", 5400],
])("%s are %i seconds", (text, seconds) => {
  expect(secondsOf("--lock-wait")(text)).toBe(seconds);
});

test.each(["", "-1", "soon", "1.5", "2d", "90000"])("%j is no time to wait", (text) => {
  expect(() => secondsOf("--lock-wait")(text)).toThrow(
    expect.objectContaining({
      kind: "usage",
      message: expect.stringContaining("--lock-wait expects seconds or a duration such as 10m, got"),
    }),
  );
});

import { expect, test } from "vitest";
import { configOf, HEAD, problemsOf } from "./config-fixture.ts";

test.each([
  ["", undefined],
  ["backup: { on_blocking: warn }", undefined],
  ["backup: { on_blocking: yield 30s }", 30],
  ["backup: { on_blocking: yield  2m }", 120],
])("%s lets others wait behind a dump for so many seconds: %j", (line, seconds) => {
  expect(configOf(`${HEAD}${line}\n`).backup.yieldAfter).toBe(seconds);
});

test.each(["yield", "yield 0s", "yield soon", "yield 2d", "kill 30s", "30s"])("on_blocking: %s is refused", (value) => {
  expect(problemsOf(`${HEAD}backup: { on_blocking: ${value} }\n`).join()).toContain(
    "backup.on_blocking: expected warn, or yield with a time such as yield 30s",
  );
});

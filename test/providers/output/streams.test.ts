import { expect, test } from "vitest";
import { wantsColor } from "../../../src/providers/output/streams.ts";
import { CapturedStream } from "../../support/captured-stream.ts";

const tty = new CapturedStream({ isTTY: true });
const pipe = new CapturedStream();

test.each([
  ["a terminal", tty, true, {}, true],
  ["a pipe", pipe, true, {}, false],
  ["--no-color", tty, false, {}, false],
  ["NO_COLOR", tty, true, { NO_COLOR: "1" }, false],
  ["an empty NO_COLOR", tty, true, { NO_COLOR: "" }, true],
  ["a dumb terminal", tty, true, { TERM: "dumb" }, false],
  ["FORCE_COLOR", pipe, true, { FORCE_COLOR: "1" }, true],
  ["NO_COLOR over FORCE_COLOR", pipe, true, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
])("%s", (_name, stream, allowed, env, expected) => {
  expect(wantsColor(stream, allowed, env)).toBe(expected);
});

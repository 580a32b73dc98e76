import { expect, test } from "vitest";
import type { OptionValue } from "../../src/config/types.ts";
import { resolveOptions } from "../../src/stack/resolve-options.ts";
import { packOf } from "./pack-fixture.ts";

const pack = packOf(
  "demo",
  `options:
  text: { type: string, default: a }
  count: { type: integer, minimum: 1, maximum: 9 }
  flag: { type: boolean, default: false }
  mode: { type: enum, values: [fast, slow], default: fast }
  words: { type: list }
  app: { type: source, required: true, summary: the app }
`,
);
const APP = { app: { path: "/app" } };

test("defaults are filled in, what has none is absent", () => {
  expect(resolveOptions(pack, APP, [])).toEqual({
    options: { text: "a", flag: false, mode: "fast", app: { path: "/app" } },
  });
});

test("given values win, also false, 0 and empty ones", () => {
  const given = { ...APP, text: "", count: 9, flag: true, mode: "slow", words: [] };
  expect(resolveOptions(pack, given, [])).toEqual({ options: given });
});

test.each<[string, Record<string, OptionValue>, string, string]>([
  ["text", { text: 5 }, "text", "expected text, got 5: put it in quotes"],
  ["two lines", { text: "a\nb" }, "text", 'expected one line of text without control characters, got "a\\nb"'],
  ["NUL", { text: "a\0" }, "text", 'expected one line of text without control characters, got "a\\u0000"'],
  ["a long text", { text: "x".repeat(5000) }, "text", "at most 4096 characters, this has 5000"],
  ["a word as a number", { count: "5" }, "count", 'expected a whole number, got "5"'],
  ["a fraction", { count: 1.5 }, "count", "expected a whole number, got 1.5"],
  ["too little", { count: 0 }, "count", "expected at least 1, got 0"],
  ["too much", { count: 10 }, "count", "expected at most 9, got 10"],
  ["a word as a flag", { flag: "yes" }, "flag", 'expected true or false, got "yes"'],
  ["a mistyped value", { mode: "fas" }, "mode", '"fas" is not a value of this option, did you mean "fast"?'],
  ["no list", { words: "a" }, "words", 'expected a list of text, got "a"'],
  ["a list with blanks", { words: ["a b"] }, "words", 'expected entries without blanks, got "a b"'],
  ["a list with nothing", { words: [""] }, "words", 'expected entries without blanks, got ""'],
  ["no source", { app: "./app" }, "app", 'expected { path: ./app } or { git: URL, revision: REV }, got "./app"'],
  ["an unknown option", { tezt: "a" }, "tezt", 'the pack demo has no such option, did you mean "text"?'],
  [
    "an inherited name",
    { constructor: "a" },
    "constructor",
    "the pack demo has no such option, known here: text, count, flag, mode, words, app",
  ],
])("%s", (_name, given, option, message) => {
  const resolved = resolveOptions(pack, { ...APP, ...given }, ["services", "x", "options"]);
  expect(resolved).toEqual({ problems: [{ path: ["services", "x", "options", option], message }] });
});

test("what is required and missing is reported with the rest", () => {
  expect(resolveOptions(pack, { count: 0, nope: 1 }, ["o"])).toMatchObject({
    problems: [
      { path: ["o", "count"] },
      { path: ["o", "nope"] },
      { path: ["o"], message: "the pack demo needs the option app: the app", hint: "app: { path: ./app }" },
    ],
  });
});

import { describe, expect, test } from "vitest";
import { readYaml } from "../../src/config/read-yaml.ts";

const shown = (text: string): readonly string[] =>
  readYaml(text).findings.map(({ line, message }) => `${line}: ${message}`);

describe("what is no good YAML", () => {
  const bomb = `a0: &a0 [y, y, y, y, y, y, y, y, y, y]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]\n`).join("")}`;
  test.each<[string, string, readonly string[]]>([
    ["empty", "", ["1: the file is empty"]],
    ["blank", " \n\n", ["1: the file is empty"]],
    ["only a comment", "# nothing\n", ["1: the file is empty"]],
    ["a tab", "a:\n\tb: 1\n", ["2: expected spaces as indentation, got a tab"]],
    ["bad indentation", "a:\n  b: 1\n c: 2\n", ["3: the indentation does not match the lines above"]],
    ["two documents", "a: 1\n---\nb: 2\n", ["2: expected one document, got a second one after ---"]],
    ["a colon too many", "a: b: c\n", ['1: a second ": " in one line; put the text in quotes if it is part of it']],
    ["a list as a key", "? [a]\n: 1\n", ["1: expected text as a key"]],
    ["YAML 1.1", "%YAML 1.1\n---\na: yes\n", ["1: expected YAML 1.2, the file says 1.1"]],
    ["a tag", "a: 1\nb: !!js/function x\n", ["2: tags such as !!binary are not known here"]],
    [
      "binary",
      "a: 1\nb: !!binary aGk=\n",
      ["2: expected plain text, a number, true or false, this has a tag of its own"],
    ],
    ["a key twice", "a:\n  b: 1\nc: 2\na:\n  d: 3\n", ['4: "a" is there twice, first in line 1']],
    ["an alias to nothing", "a: 1\nb: *nope\n", ["2: the alias *nope has no anchor before it"]],
    ["an alias before its anchor", "a: *late\nb: &late 1\n", ["1: the alias *late has no anchor before it"]],
    ["an alias that holds itself", "a: 1\nb: &b { c: *b }\n", ["2: the alias *b holds itself"]],
    ["a merge of a list", "a: &a [1]\nb: { <<: *a }\n", ["2: expected << to name a mapping, or a list of mappings"]],
    ["an alias bomb", bomb, ["1: more than 50000 values, aliases counted each time they are used"]],
    ["a forbidden key", "a: 1\n__proto__: { b: 1 }\n", ['2: the key "__proto__" cannot be used']],
  ])("%s", (_name, text, expected) => {
    expect(shown(text)).toEqual(expected);
  });

  test("conflict marks of git are called that", () => {
    expect(shown("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n")).toContain(
      "2: a merge conflict that git left here",
    );
  });

  test.each([
    ["brackets", "a: 1\nb: ".concat("[".repeat(200_000)), 2],
    ["braces", "a: {".repeat(50_000), 1],
    ["dashes", `a:\n  ${"- ".repeat(100_000)}x`, 2],
    ["indentation", Array.from({ length: 60 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), 41],
  ])("deep nesting by %s", (_name, text, line) => {
    expect(shown(text)).toEqual([`${line}: nested more than 40 levels deep`]);
  });

  test("many keys do not take quadratic time", () => {
    const text = Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`).join("\n");
    const started = performance.now();
    expect(Object.keys(readYaml(text).value as object)).toHaveLength(40_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

test("values have lines; missing ones that of what is around them", () => {
  const { lineOf } = readYaml("a:\n  b:\n    - x\n    - y: 1\n      z: 2\nc: 3\n");
  expect(
    [["a"], ["a", "b"], ["a", "b", 1], ["a", "b", 1, "z"], ["a", "b", 9], ["c"], ["nope"], []].map(lineOf),
  ).toEqual([1, 2, 4, 5, 2, 6, 1, 1]);
});

test("keys are text, values follow the core schema of YAML 1.2", () => {
  expect(readYaml("1: yes\ntrue: 0x1F\nd: 2026-01-01\ne: ~\nf: 012\n").value).toEqual({
    1: "yes",
    true: 31,
    d: "2026-01-01",
    e: null,
    f: 12,
  });
});

test("nothing that is thrown at it makes it throw", () => {
  const pieces = [
    "a",
    ":",
    " ",
    "\n",
    "-",
    "[",
    "]",
    "{",
    "}",
    "&x",
    "*x",
    "<<",
    "!",
    "!!str",
    "|",
    ">",
    "'",
    '"',
    "\t",
    "#",
    "%",
    "---",
    "...",
    "?",
    "\0",
    "\u{1F600}",
    ",",
    "x-y",
    "\ud800",
  ];
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: 1 + next(40) }, () => pieces[next(pieces.length)]).join("");
    const { value, findings } = readYaml(text);
    expect(value !== undefined || findings.length > 0, JSON.stringify(text)).toBe(true);
  }
});

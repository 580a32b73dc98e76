import type * as z from "zod";
import { show } from "../core/names.ts";

const NOUNS: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

/** What was expected and what came, for the kinds of issue that our schemas can raise by themselves. */
export function issueWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return bad([issue.expected], issue.input);
    case "invalid_value":
      return `${missing(issue.input)}expected ${issue.values.map((value) => String(value)).join(" or ")}${came(issue.input)}`;
    case "too_small":
      return size(issue.origin, `at least ${issue.minimum}`, issue.input);
    case "too_big":
      return size(issue.origin, `at most ${issue.maximum}`, issue.input);
    default:
      return issue.message;
  }
}

/** `expected text, got the number 12`; `missing, expected text`. */
export const bad = (expected: readonly string[], input: unknown): string =>
  `${missing(input)}expected ${expected.map((kind) => NOUNS[kind] ?? kind).join(" or ")}${came(input, expected)}`;

const missing = (input: unknown): string => (input === undefined ? "missing, " : "");

function size(origin: string, bound: string, input: unknown): string {
  if (origin === "array" || origin === "set")
    return `expected ${bound} in the list, got ${Array.isArray(input) ? input.length : "none"}`;
  if (origin === "string") return `expected ${bound} characters`;
  return `expected ${bound}${came(input)}`;
}

function came(input: unknown, expected: readonly string[] = []): string {
  if (input === undefined) return "";
  if (input === null) return ", got nothing";
  if (Array.isArray(input)) return ", got a list";
  const expectsText = expected.length === 1 && expected[0] === "string";
  switch (typeof input) {
    case "object":
      return ", got a mapping";
    case "string":
      // Where a mapping is expected the text may be a secret that was pasted there.
      return expected.includes("object") || expected.includes("record") ? ", got text" : `, got ${show(input)}`;
    case "number":
      return expectsText ? `, got the number ${input}: put it in quotes` : `, got ${input}`;
    case "boolean":
      return expectsText ? `, got ${input}: put it in quotes` : `, got ${input}`;
    default:
      return "";
  }
}

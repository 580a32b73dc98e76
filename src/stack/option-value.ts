import { suggestion } from "../config/suggest.ts";
import type { OptionValue } from "../config/types.ts";
import { show } from "../core/names.ts";
import type { OptionSpec } from "./pack-types.ts";

/** What is wrong with a value for an option, in words, or undefined. */
export function checkOptionValue(
  spec: Omit<OptionSpec, "default" | "required" | "summary">,
  value: OptionValue,
): string | undefined {
  switch (spec.type) {
    case "string":
      return typeof value === "string" ? lineProblem(value) : `expected text, got ${kind(value)}${quoteIt(value)}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected true or false, got ${kind(value)}`;
    case "integer":
      return integerProblem(spec, value);
    case "enum":
      if (typeof value !== "string")
        return `expected one of ${spec.values.join(", ")}, got ${kind(value)}${quoteIt(value)}`;
      return spec.values.includes(value)
        ? undefined
        : `${show(value)} is not a value of this option${suggestion(value, spec.values)}`;
    case "list":
      return Array.isArray(value) ? listProblem(value) : `expected a list of text, got ${kind(value)}`;
    case "source":
      return isSource(value)
        ? undefined
        : `expected { path: ./app } or { git: URL, revision: REV }, got ${kind(value)}`;
  }
}

function integerProblem(
  { minimum, maximum }: { minimum: number | undefined; maximum: number | undefined },
  value: OptionValue,
): string | undefined {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return `expected a whole number, got ${kind(value)}`;
  if (minimum !== undefined && value < minimum) return `expected at least ${minimum}, got ${value}`;
  return maximum !== undefined && value > maximum ? `expected at most ${maximum}, got ${value}` : undefined;
}

// Hooks get options as environment variables, and lists with a space between.
function lineProblem(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value))
    return `expected one line of text without control characters, got ${show(value)}`;
  return value.length > 4096 ? `at most 4096 characters, this has ${value.length}` : undefined;
}

function listProblem(values: readonly string[]): string | undefined {
  const bad = values.find((value) => value === "" || /[\s\0]/.test(value));
  if (bad !== undefined) return `expected entries without blanks, got ${show(bad)}`;
  return values.length > 1000 ? `at most 1000 entries, this has ${values.length}` : undefined;
}

const isSource = (value: OptionValue): boolean => typeof value === "object" && !Array.isArray(value);

function kind(value: OptionValue): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? show(value) : `${value}`;
}

const quoteIt = (value: OptionValue): string =>
  typeof value === "number" || typeof value === "boolean" ? ": put it in quotes" : "";

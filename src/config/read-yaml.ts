import { type CST, LineCounter, Parser, parseDocument } from "yaml";
import type { Finding, LineOf } from "./problems.ts";
import { readNodes } from "./yaml-nodes.ts";
import { syntaxWords } from "./yaml-words.ts";

export interface YamlText {
  /** Plain mappings, lists, text, numbers, booleans and null; without `x-…` keys. Undefined after a syntax error. */
  readonly value: unknown;
  readonly lineOf: LineOf;
  readonly findings: readonly Finding[];
}

/** Deepest nesting that is read. */
const DEPTH_LIMIT = 40;

/**
 * YAML 1.2 with merge keys (`<<`). Never throws: what is wrong with the syntax, all of it, is in `findings`, each
 * with its line. `x-…` keys of any mapping are dropped after their anchors were read.
 */
export function readYaml(text: string): YamlText {
  const broken = (message: string, line = 1, hint?: string): YamlText => ({
    value: undefined,
    lineOf: () => line,
    findings: [{ path: [], message, line, hint }],
  });
  if (text.trim() === "") return broken("the file is empty", 1, "summitctl init");
  // The composer is recursive and takes the process down on deep nesting; the parser in front of it is not.
  const deep = firstTooDeep(text);
  if (deep !== undefined) return broken(`nested more than ${DEPTH_LIMIT} levels deep`, lineAt(text, deep));

  const lines = new LineCounter();
  // uniqueKeys compares each key with every other: quadratic. readNodes looks for duplicates itself.
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
  });
  const lineOfOffset = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    const findings = syntax
      .slice(0, 20)
      .map((error) => ({ path: [], message: syntaxWords(error, text), line: lineOfOffset(error.pos[0]) }));
    return { value: undefined, lineOf: () => 1, findings };
  }
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== "1.2") {
    return broken(`expected YAML 1.2, the file says ${document.directives.yaml.version}`);
  }
  if (document.contents === null) return broken("the file is empty", 1, "summitctl init");
  return readNodes(document.contents, lineOfOffset);
}

/** Offset of the first token that is nested too deeply. */
function firstTooDeep(text: string): number | undefined {
  for (const document of new Parser().parse(text)) {
    const open: [CST.Token, number][] = [[document, 0]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [token, depth] = next;
      if (depth > DEPTH_LIMIT) return token.offset;
      if ("value" in token && typeof token.value === "object" && token.value !== null)
        open.push([token.value, depth + 1]);
      if (!("items" in token)) continue;
      for (const { key, value } of token.items) {
        if (key) open.push([key, depth + 1]);
        if (value) open.push([value, depth + 1]);
      }
    }
  }
  return undefined;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

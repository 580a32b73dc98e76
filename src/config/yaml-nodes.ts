import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode } from "yaml";
import { show } from "../core/names.ts";
import type { Finding, Path } from "./problems.ts";
import type { YamlText } from "./read-yaml.ts";

/** Values that are read, aliases expanded: a file of a few lines can otherwise stand for gigabytes. */
const VALUE_LIMIT = 50_000;

/** Keys that mean something to every JavaScript object. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

interface Reading {
  readonly lineOfOffset: (offset: number) => number;
  readonly findings: Finding[];
  readonly lines: Map<string, number>;
  readonly anchors: Map<string, ParsedNode>;
  /** Anchored nodes that are being read, to find one that holds itself. */
  readonly open: Set<ParsedNode>;
  count: number;
}

/** Plain values of a parsed document, with the line of every one of them. */
export function readNodes(root: ParsedNode, lineOfOffset: (offset: number) => number): YamlText {
  const reading: Reading = {
    lineOfOffset,
    findings: [],
    lines: new Map(),
    anchors: new Map(),
    open: new Set(),
    count: 0,
  };
  const value = readNode(reading, root, []);
  if (reading.count > VALUE_LIMIT) {
    reading.findings.push({
      path: [],
      message: `more than ${VALUE_LIMIT} values, aliases counted each time they are used`,
      line: 1,
    });
  }
  const lineOf = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const line = reading.lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
  return { value: reading.count > VALUE_LIMIT ? undefined : value, lineOf, findings: reading.findings };
}

function readNode(reading: Reading, node: ParsedNode | null, path: Path): unknown {
  reading.count++;
  if (node === null || reading.count > VALUE_LIMIT) return null;
  if (isAlias(node)) {
    const target = reading.anchors.get(node.source);
    if (target === undefined) return wrong(reading, node, path, `the alias *${node.source} has no anchor before it`);
    if (reading.open.has(target)) return wrong(reading, node, path, `the alias *${node.source} holds itself`);
    return readNode(reading, target, path);
  }
  if (node.anchor !== undefined) reading.anchors.set(node.anchor, node);
  if (isScalar(node)) {
    const { value } = node;
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return value;
    return wrong(reading, node, path, "expected plain text, a number, true or false, this has a tag of its own");
  }
  reading.open.add(node);
  const value = isMap(node)
    ? readMap(reading, node.items, path)
    : isSeq(node)
      ? readList(reading, node.items, path)
      : null;
  reading.open.delete(node);
  return value;
}

function readList(reading: Reading, items: readonly ParsedNode[], path: Path): unknown[] {
  return items.map((item, index) => {
    const here = [...path, index];
    setLine(reading, here, item);
    return readNode(reading, item, here);
  });
}

function readMap(
  reading: Reading,
  pairs: readonly Pair<ParsedNode, ParsedNode | null>[],
  path: Path,
): Record<string, unknown> {
  const values = new Map<string, unknown>();
  const merged = new Map<string, unknown>();
  const firstLines = new Map<string, number>();
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(key.value) : "";
    if (name === "<<" || (isScalar(key) && typeof key.value === "symbol")) {
      for (const [from, inner] of readMerge(reading, value ?? key, path))
        if (!merged.has(from)) merged.set(from, inner);
      continue;
    }
    const here = [...path, name];
    const before = firstLines.get(name);
    if (before !== undefined) {
      reading.findings.push({
        path: here,
        message: `${show(name)} is there twice, first in line ${before}`,
        line: lineOfNode(reading, key),
      });
      continue;
    }
    firstLines.set(name, lineOfNode(reading, key));
    setLine(reading, here, key);
    if (FORBIDDEN_KEYS.has(name)) {
      wrong(reading, key, here, `the key ${show(name)} cannot be used`);
      continue;
    }
    const inner = readNode(reading, value, here);
    if (!name.startsWith("x-")) values.set(name, inner);
  }
  return Object.fromEntries([...merged, ...values]);
}

/** What a `<<` brings in: a mapping, or a list of them of which the first wins. */
function readMerge(reading: Reading, node: ParsedNode, path: Path): readonly (readonly [string, unknown])[] {
  // Lines of merged values are those of the mapping they come from, unless the mapping itself has the key.
  const inner: Reading = { ...reading, lines: new Map() };
  const sources = (isSeq(node) ? node.items : [node]).map((item) => readNode(inner, item, path));
  reading.count = inner.count;
  for (const [place, line] of inner.lines) if (!reading.lines.has(place)) reading.lines.set(place, line);
  if (sources.every(isPlainMap)) return sources.flatMap((source) => Object.entries(source));
  wrong(reading, node, path, "expected << to name a mapping, or a list of mappings");
  return [];
}

const isPlainMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function wrong(reading: Reading, node: ParsedNode, path: Path, message: string): null {
  reading.findings.push({ path, message, line: lineOfNode(reading, node) });
  return null;
}

const lineOfNode = (reading: Reading, node: ParsedNode): number => reading.lineOfOffset(node.range[0]);

function setLine(reading: Reading, path: Path, node: ParsedNode): void {
  reading.lines.set(JSON.stringify(path), lineOfNode(reading, node));
}

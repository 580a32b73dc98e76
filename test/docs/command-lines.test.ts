import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { expect, test } from "vitest";
import type { CommandDeps } from "../../src/commands/deps.ts";
import { buildProgram } from "../../src/program.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(`${ROOT}/${file}`, "utf8");
const program = buildProgram({ version: "" } as CommandDeps);

const pages = ["README.md", "docs/runbook.md", "CONTRIBUTING.md"];
const lines = pages.flatMap((page) => commandLines(read(page)).map((line) => ({ page, line })));

test("the prose has enough command lines for the next test to mean something", () => {
  expect(lines.length).toBeGreaterThan(40);
});

test.each(lines)("$page: $line", ({ line }) => {
  expect(wrongWord(line)).toBeUndefined();
});

test("a line with a verb or a flag that does not exist would be found", () => {
  expect(wrongWord("summitctl recover")).toBe("recover");
  expect(wrongWord("summitctl backups shwo latest")).toBe("shwo");
  expect(wrongWord("summitctl restore latest --into production")).toBe("--into");
  expect(wrongWord('summitctl failover --force --reason "--nothing"')).toBeUndefined();
});

test("the runbook has the lines that restore by hand, for every kind of member", () => {
  const runbook = read("docs/runbook.md");
  expect(runbook).toContain("    bunzip2 -c F | pg_restore -d NEW\n");
  expect(runbook).toMatch(/^ {4}bunzip2 -c roles-\d{8}T\d{6}Z\.sql\.bz2 \| psql -d postgres$/m);
  expect(read("README.md")).toContain("createdb NEW && bunzip2 -c FILE.dump.bz2 | pg_restore -d NEW");
});

test("npm scripts that the prose names exist", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/npm (?:run )?(demo|test|[a-z]+)\b(?= |`|$)/gm)].map(([, name = ""]) => name),
  );
  const builtIn = ["run", "pack", "install", "package", "talks", "scripts"];
  expect(named.filter((name) => !builtIn.includes(name) && scripts[name] === undefined)).toEqual([]);
  expect(named).toEqual(expect.arrayContaining(["demo", "test", "bench", "soak", "docs"]));
});

test("every fragment of the changelog has the form of its template", () => {
  const folder = `${ROOT}/changelog/unreleased`;
  for (const file of readdirSync(folder)) {
    expect(readFileSync(`${folder}/${file}`, "utf8"), file).toMatch(
      /^(Added|Changed|Fixed|Removed|Security): [^\n]+[^.\n]\n(\n|$)/,
    );
  }
});

/** Lines of indented code and spans of inline code that start with the command's name, comments cut off. */
function commandLines(text: string): string[] {
  const indented = [...text.matchAll(/^ {4,}(summitctl .*)$/gm)];
  const inline = [...text.matchAll(/`(summitctl [^`]+)`/g)];
  return [...indented, ...inline].map(([, line = ""]) => line.replace(/\s+#.*$/, "").trim());
}

/** The first word that the command line does not know. */
function wrongWord(line: string): string | undefined {
  const words = line
    .replaceAll(/"[^"]*"/g, "TEXT")
    .split(/\s+/)
    .slice(1);
  const end = words.indexOf("--");
  let command: Command = program;
  for (const word of end === -1 ? words : words.slice(0, end)) {
    if (word.startsWith("-")) {
      if (!options(command).includes(word)) return word;
    } else if (command.commands.length > 0) {
      const next = command.commands.find((candidate) => candidate.name() === word);
      if (next === undefined) return word;
      command = next;
    }
  }
  return undefined;
}

const options = (command: Command): string[] =>
  [...command.options, ...program.options]
    .flatMap(({ short, long }) => [short ?? "", long ?? ""])
    .concat("--help", "-h");

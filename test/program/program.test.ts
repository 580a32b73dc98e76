import { type Command, CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import type { CommandDeps } from "../../src/commands/deps.ts";
import { readGlobals, scanGlobals } from "../../src/commands/global-options.ts";
import { EXIT } from "../../src/core/errors.ts";
import { buildProgram, usageError } from "../../src/program.ts";

// Building and parsing use nothing of it but the version; actions would.
const deps = { version: "1.2.3" } as CommandDeps;

/** The program with two verbs that record what they were given. */
function setUp() {
  const seen: { verb: string; args: unknown[]; globals: ReturnType<typeof readGlobals> }[] = [];
  const program = buildProgram(deps);
  const printed = { text: "" };
  program.configureOutput({
    writeOut: (text) => {
      printed.text += text;
    },
    writeErr: (text) => {
      printed.text += text;
    },
  });
  const record = (command: Command, env: NodeJS.ProcessEnv = { SUMMITCTL_CONFIG: "from-env.yaml" }) =>
    command.action((...all: unknown[]) => {
      seen.push({ verb: command.name(), args: all.slice(0, -1), globals: readGlobals(command, env) });
    });
  record(program.command("fetch").argument("[what]").option("--database <name>"));
  record(program.command("store").command("list").option("--all"));
  const run = async (...argv: string[]) => {
    try {
      await program.parseAsync(argv, { from: "user" });
      return undefined;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      return usageError(error, program, argv);
    }
  };
  return { run, seen, printed };
}

const GIVEN = { env: "spare", config: "s.yaml", json: true, yes: true, verbose: true, color: false };
const FLAGS = ["-e", "spare", "--config", "s.yaml", "--json", "-y", "-v", "--no-color"];

describe("global options", () => {
  test.each([
    ["before the verb", [...FLAGS, "fetch"]],
    ["after the verb", ["fetch", ...FLAGS]],
    ["after the verb's own", ["fetch", "--database", "summit", ...FLAGS]],
    ["around it", [...FLAGS.slice(0, 4), "fetch", ...FLAGS.slice(4)]],
    ["before a nested verb", [...FLAGS, "store", "list"]],
    ["between", ["store", ...FLAGS, "list"]],
    ["after a nested verb", ["store", "list", "--all", ...FLAGS]],
    ["in their long forms", ["fetch", "--env=spare", "--config=s.yaml", "--json", "--yes", "--verbose", "--no-color"]],
  ])("are taken %s", async (_where, argv) => {
    const { run, seen } = setUp();
    expect(await run(...argv)).toBeUndefined();
    expect(seen.map(({ globals }) => globals)).toEqual([GIVEN]);
  });

  test("have defaults, and SUMMITCTL_CONFIG names the file", async () => {
    const { run, seen } = setUp();
    await run("fetch");
    expect(seen[0]?.globals).toEqual({
      env: undefined,
      config: "from-env.yaml",
      json: false,
      yes: false,
      verbose: false,
      color: true,
    });
  });

  test("are arguments after a --", async () => {
    const { run, seen } = setUp();
    await run("fetch", "--", "--json");
    expect(seen[0]).toMatchObject({ args: ["--json", {}], globals: { json: false } });
  });

  test("are found in a line that could not be parsed", () => {
    expect(scanGlobals(["bakup", "--json", "-v"])).toEqual({ json: true, verbose: true });
    expect(scanGlobals(["ssh", "db", "--", "--json", "-v"])).toEqual({ json: false, verbose: false });
  });
});

describe("usage errors", () => {
  test.each([
    [["ftch"], "unknown command 'ftch'", ["did you mean fetch"], "summitctl --help"],
    [["fetch", "--databse", "x"], "unknown option '--databse'", ["did you mean --database"], "summitctl fetch --help"],
    [["fetch", "--jsn"], "unknown option '--jsn'", ["did you mean --json"], "summitctl fetch --help"],
    [["store", "lst"], "unknown command 'lst'", ["did you mean list"], "summitctl store --help"],
    [["store", "list", "--zzzzzz"], "unknown option '--zzzzzz'", [], "summitctl store list --help"],
    [
      ["fetch", "a", "b"],
      "too many arguments for 'fetch': expected 1 argument but got 2",
      [],
      "summitctl fetch --help",
    ],
    [["fetch", "-e"], "option '-e, --env <name>' argument missing", [], "summitctl fetch --help"],
  ])("%j", async (argv, message, details, hint) => {
    const { run, seen, printed } = setUp();
    expect(await run(...argv)).toMatchObject({ kind: "usage", message, details, hint });
    expect(seen).toEqual([]);
    expect(printed.text).toBe("");
  });

  test("without a command, help is printed and it is an error", async () => {
    const { run, printed } = setUp();
    expect(await run()).toMatchObject({ kind: "usage", message: 'expected a command after "summitctl"' });
    expect(await run("store")).toMatchObject({ kind: "usage", message: 'expected a command after "summitctl store"' });
    expect(printed.text).toContain("Usage: summitctl");
  });
});

describe("help", () => {
  test("ends with every exit code", async () => {
    const { run, printed } = setUp();
    expect(await run("--help")).toBeUndefined();
    const table = printed.text.slice(printed.text.indexOf("Exit codes:\n")).trimEnd().split("\n").slice(1);
    expect(table.map((line) => line.trim())).toEqual(
      Object.values(EXIT).map(({ code, meaning }) => `${code}  ${meaning}`),
    );
  });

  test("of a command shows the global options too", async () => {
    const { run, printed } = setUp();
    await run("fetch", "--help");
    expect(printed.text).toContain("--database <name>");
    expect(printed.text).toContain("Global options:");
    expect(printed.text).toContain("-e, --env <name>");
  });

  test("groups the verbs", async () => {
    const { run, printed } = setUp();
    await run("--help");
    expect(printed.text).toMatch(/Environments:\n {2}init /);
  });

  test("--version prints the version alone", async () => {
    const { run, printed } = setUp();
    expect(await run("--version")).toBeUndefined();
    expect(printed.text).toBe("1.2.3\n");
  });
});

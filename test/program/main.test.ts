import { once } from "node:events";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";

const FIXTURE = join(import.meta.dirname, "fixture.ts");

const start = (...argv: string[]) =>
  execa(process.execPath, ["--import", "tsx", FIXTURE, ...argv], {
    reject: false,
    stdin: "ignore",
    env: { NO_COLOR: "1" },
    forceKillAfterDelay: false,
  });

/** Waits for the verb to run, then sends the signals, each after the talk about the one before. */
async function interrupt(process: ReturnType<typeof start>, ...signals: NodeJS.Signals[]) {
  let seen = "";
  for (const [index, signal] of signals.entries()) {
    while (!seen.includes(index === 0 ? "ready" : "stopping")) seen += (await once(process.stderr, "data"))[0];
    process.kill(signal);
  }
  return process;
}

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s aborts, and the error's hint says how to go on",
    async (name) => {
      const { exitCode, stdout, stderr } = await interrupt(start("wait"), name);
      expect(exitCode).toBe(130);
      expect(stdout).toBe("");
      expect(stderr).toContain("stopping");
      expect(stderr).toMatch(/stopped waiting {2}.*\nerror: stopped between two steps\nhint: summitctl wait --resume$/);
    },
  );

  test("an abort that comes back as a foreign error is an interruption, not a defect", async () => {
    const { exitCode, stderr } = await interrupt(start("wait-carelessly"), "SIGINT");
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/\nerror: interrupted by SIGINT\nhint: run the same command again/);
  });

  test("the second one leaves at once", async () => {
    const { exitCode } = await interrupt(start("deaf"), "SIGINT", "SIGINT");
    expect(exitCode).toBe(130);
  });

  test("a command that finishes all the same has its own result", async () => {
    const { exitCode, stdout } = await interrupt(start("finish"), "SIGTERM");
    expect(exitCode).toBe(0);
    expect(stdout).toBe("finished");
  });
});

describe("streams", () => {
  test("a reader that leaves is no error, and the command goes on", async () => {
    const process = start("many", "--json");
    process.stdout.once("data", () => process.stdout.destroy());
    const { exitCode, stderr } = await process;
    expect(exitCode).toBe(0);
    expect(stderr).toBe("went on");
  });

  test("no terminal and no --yes is a usage error", async () => {
    const { exitCode, stderr } = await start("ask");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("hint: give --yes");
    expect((await start("ask", "--yes")).exitCode).toBe(0);
  });
});

describe("errors", () => {
  test("one that nobody caught ends the process with 1, and with -v shows its stack", async () => {
    const { exitCode, stderr } = await start("broken");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error: internal error: nobody waited\nhint: ");
    expect((await start("broken", "-v")).stderr).toContain("fixture.ts:");
  });

  test("come after the result, on stderr", async () => {
    const { exitCode, stdout, stderr } = await start("fail");
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 10,
      stdout: "the answer",
      stderr: "error: RTO was missed\n  took 90 s\nhint: summitctl drill",
    });
  });

  test("with --json are the last line of stdout, and stderr is silent", async () => {
    const { exitCode, stdout, stderr } = await start("fail", "--json");
    expect(exitCode).toBe(10);
    expect(stderr).toBe("");
    expect(stdout.split("\n").map((line) => JSON.parse(line))).toEqual([
      { schema: "summitctl.fail.v1" },
      {
        schema: "summitctl.error.v1",
        kind: "missed",
        message: "RTO was missed",
        hint: "summitctl drill",
        details: ["took 90 s"],
        exit: 10,
      },
    ]);
  });

  test("of the line itself too", async () => {
    const { exitCode, stdout, stderr } = await start("--json", "nonsense");
    expect(exitCode).toBe(2);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ kind: "usage", message: "unknown command 'nonsense'", exit: 2 });
  });

  test("a command with exit codes of its own uses them", async () => {
    expect((await start("nagios")).exitCode).toBe(3);
  });
});

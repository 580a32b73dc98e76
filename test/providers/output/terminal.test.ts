import { describe, expect, test } from "vitest";
import { TerminalOutput } from "../../../src/providers/output/terminal.ts";
import { CapturedStream } from "../../support/captured-stream.ts";

const MIB = 1_000_000;

function setUp({ isTTY = false, columns = 80, verbose = false, color = false } = {}) {
  const stdout = new CapturedStream({ isTTY, columns });
  const stderr = new CapturedStream({ isTTY, columns });
  const clock = { ms: Date.UTC(2026, 10, 22, 14, 38) };
  const timers: (() => void)[] = [];
  const out = new TerminalOutput({
    stdout,
    stderr,
    color: { stdout: color, stderr: color },
    verbose,
    now: () => new Date(clock.ms),
    every: (_ms, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
  });
  const pass = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      clock.ms += 1000;
      for (const tick of [...timers]) tick();
    }
  };
  return { out, stdout, stderr, pass, timers };
}

describe("results", () => {
  const view = () => [
    { title: "Backups" },
    {
      head: ["id", "environment"],
      rows: [
        ["b-1", "production"],
        ["b-22", "spare"],
      ],
    },
    {
      pairs: [
        ["store", "file:///srv"],
        ["age", "2 min"],
      ] as const,
    },
    { text: "that is all" },
    { text: "really" },
    { head: ["nothing"], rows: [] },
  ];

  test("are aligned text on stdout, without colour when it is off", () => {
    const { out, stdout, stderr } = setUp();
    out.result({ schema: "summitctl.x.v1" }, view);
    expect(stdout.text).toBe(
      "Backups\nid    environment\nb-1   production\nb-22  spare\n\nstore  file:///srv\nage    2 min\n\nthat is all\nreally\n",
    );
    expect(stderr.text).toBe("");
  });

  test("have a dim head and a bold title in colour, and the same text", () => {
    const { out, stdout } = setUp({ color: true });
    out.result({ schema: "summitctl.x.v1" }, view);
    expect(stdout.text).toContain(
      "\u001b[1mBackups\u001b[22m\n\u001b[2mid\u001b[22m    \u001b[2menvironment\u001b[22m\n",
    );
  });

  test("wrap the widest column at the width of a terminal, and are never wrapped elsewhere", () => {
    const rows = [["b-1", "word ".repeat(20).trim(), "end"]];
    const table = () => [{ head: ["id", "what", "last"], rows }];
    const narrow = setUp({ isTTY: true, columns: 40 });
    narrow.out.result({ schema: "summitctl.x.v1" }, table);
    expect(Math.max(...narrow.stdout.text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(40);
    const piped = setUp({ columns: 40 });
    piped.out.result({ schema: "summitctl.x.v1" }, table);
    expect(piped.stdout.text.split("\n")).toHaveLength(3);
  });

  test("escape what a remote side could use to move the cursor or fake a line", () => {
    const { out, stdout } = setUp();
    out.result({ schema: "summitctl.x.v1" }, () => [
      { head: ["name"], rows: [["a\u001b[2Jb\nc\u202ed\u009be"]] },
      { text: "one\n\u001b]0;title\u0007two" },
    ]);
    expect(stdout.text).toBe("name\na\\x1b[2Jb\\nc\\u202ed\\x9be\n\none\n\\x1b]0;title\\x07two\n");
  });

  test("come once", () => {
    const { out } = setUp();
    out.result({ schema: "summitctl.x.v1" }, () => []);
    expect(() => out.result({ schema: "summitctl.x.v1" }, () => [])).toThrow("one result");
  });
});

describe("talk", () => {
  test("goes to stderr, and debug lines only with -v", () => {
    const quiet = setUp();
    quiet.out.note("one");
    quiet.out.warn("two\u001b[31m");
    quiet.out.debug("three");
    expect(quiet.stderr.text).toBe("one\nwarning: two\\x1b[31m\n");
    expect(quiet.stdout.text).toBe("");
    const verbose = setUp({ verbose: true });
    verbose.out.debug("three");
    expect(verbose.stderr.text).toBe("three\n");
  });
});

describe("tasks without a terminal", () => {
  test("are a line each when they end, with size and elapsed time", () => {
    const { out, stderr, pass } = setUp();
    const dump = out.task("dump summit");
    dump.progress({ bytes: 638 * MIB });
    pass(4);
    dump.done();
    dump.done("again");
    out.task("reach \u001b[1mpostgresql/0").fail("refused");
    expect(stderr.text).toBe("ok dump summit  638 MB  4 s\nfailed reach \\x1b[1mpostgresql/0  refused  0 s\n");
  });

  test("say every ten seconds how far they are", () => {
    const { out, stderr, pass } = setUp();
    const task = out.task("dump summit");
    task.progress({ bytes: 0, total: 200 * MIB });
    pass(5);
    task.progress({ bytes: 50 * MIB });
    pass(4);
    expect(stderr.text).toBe("");
    task.progress({ bytes: 100 * MIB });
    pass(1);
    expect(stderr.text).toBe("... dump summit  100 MB of 200 MB  50%  10 MB/s  10 s left  10 s\n");
    pass(10);
    expect(stderr.text.split("\n")).toHaveLength(3);
  });

  test("leave no timer behind", () => {
    const { out, timers } = setUp();
    const [a, b] = [out.task("a"), out.task("b")];
    expect(timers).toHaveLength(1);
    a.done();
    b.fail();
    expect(timers).toHaveLength(0);
  });
});

describe("tasks on a terminal", () => {
  test("are lines that are redrawn; ended ones move above them", () => {
    const { out, stderr, pass } = setUp({ isTTY: true });
    const first = out.task("first");
    const second = out.task("second");
    second.progress({ text: "waiting for ssh" });
    pass(2);
    expect(stderr.screen()).toEqual(["- first  2 s", "- second  waiting for ssh  2 s"]);
    first.done();
    out.note("a note");
    pass(1);
    expect(stderr.screen()).toEqual(["ok first  2 s", "a note", "\\ second  waiting for ssh  3 s"]);
    second.fail("no answer");
    expect(stderr.screen()).toEqual(["ok first  2 s", "a note", "failed second  no answer  3 s"]);
  });

  test("never take more than one row each", () => {
    const { out, stderr, pass } = setUp({ isTTY: true, columns: 30 });
    out.task("t".repeat(200));
    out.task("second");
    pass(3);
    expect(stderr.screen()).toHaveLength(2);
    expect(stderr.screen()[0]).toHaveLength(29);
  });

  test("keep away while a question stands", () => {
    const { out, stderr, pass } = setUp({ isTTY: true });
    out.task("first");
    const resume = out.pause();
    pass(3);
    expect(stderr.screen()).toEqual([]);
    resume();
    expect(stderr.screen()).toEqual(["\\ first  3 s"]);
  });

  test("are said to have stopped when the command ends under them, and the cursor was never hidden", () => {
    const { out, stderr, pass, timers } = setUp({ isTTY: true });
    out.task("first");
    pass(2);
    out.close();
    expect(stderr.screen()).toEqual(["stopped first  2 s"]);
    expect(timers).toHaveLength(0);
    expect(stderr.text).not.toContain("\u001b[?25l");
    const after = stderr.text;
    out.close();
    expect(stderr.text).toBe(after);
  });
});

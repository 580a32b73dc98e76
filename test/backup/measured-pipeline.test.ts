import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { failures, type Pipeline, pipelineScript, readReport, type Stage } from "../../src/backup/measured-pipeline.ts";
import type { MeterKind } from "../../src/backup/meter.ts";

const NONCE = "summitctl-report-0123456789abcdef";
const stage = (name: string, script: string): Stage => ({ name, argv: ["sh", "-c", script] });
const line = (...stages: Stage[]): Pipeline => ({ stages, nonce: NONCE });

interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function run(
  pipeline: Pipeline,
  input: string | Buffer = "",
  meter: MeterKind = "best",
): Ran & { found: ReturnType<typeof readReport> } {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", pipelineScript(pipeline, meter)], {
    input,
    maxBuffer: 1e9,
    timeout: 15_000,
    killSignal: "SIGKILL",
  });
  return { code: status, stdout, stderr: stderr.toString(), found: readReport(stderr.toString(), pipeline) };
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

test("the script, word for word", () => {
  expect(
    pipelineScript(
      line(
        { name: "pg_dump", argv: ["pg_dump", "--dbname", "dbname='it\\'s'"] },
        { name: "bzip2", argv: ["bzip2", "-c"] },
      ),
    ),
  ).toMatchSnapshot();
});

test("fewer than two stages are a defect", () => {
  expect(() => pipelineScript(line(stage("one", "true")))).toThrow(expect.objectContaining({ kind: "unexpected" }));
});

describe.each<MeterKind>(["best", "tools"])("measured by: %s", (kind) => {
  test("both ends are measured, and the input goes to the first stage", () => {
    const input = Buffer.alloc(3_000_000, "plain\n");
    const { code, stdout, found } = run(line(stage("first", "tr a-z A-Z"), stage("second", "gzip -n")), input, kind);
    const upper = Buffer.alloc(3_000_000, "PLAIN\n");
    expect(code).toBe(0);
    expect(found?.report).toEqual({
      statuses: { first: 0, second: 0, "meter (inner)": 0, "meter (outer)": 0 },
      inner: { bytes: upper.length, sha256: sha256(upper) },
      innerTail: upper.subarray(-600).toString("base64"),
      outer: { bytes: stdout.length, sha256: sha256(stdout) },
    });
    expect(failures(found?.report as never)).toEqual([]);
  });

  test("nothing flows: the hashes are those of nothing", () => {
    const { found } = run(line(stage("a", "true"), stage("b", "cat")), "", kind);
    expect(found?.report).toMatchObject({
      inner: { bytes: 0, sha256: sha256("") },
      innerTail: "",
      outer: { bytes: 0, sha256: sha256("") },
    });
  });

  test("a last stage that dies takes the others with it, and every one says how", () => {
    const { found } = run(
      line(stage("source", "exec cat /dev/zero"), stage("sink", "head -c 100000 >/dev/null; exit 3")),
      "",
      kind,
    );
    expect(found?.report.statuses).toMatchObject({ source: 141, sink: 3 });
    expect(failures(found?.report as never)).toContain("sink ended with exit status 3");
  });

  test.each(["inner", "outer"])("the %s meter is killed: told, whatever the stages say", (which) => {
    const kill = `yes | head -c 300000; sleep 0.3; pkill -KILL -f "pipe-$PPID/${which}"; yes | head -c 300000; exit 0`;
    const { found } = run(line(stage("a", kill), stage("b", "cat; exit 0")), "", kind);
    expect(failures(found?.report as never)).toContainEqual(expect.stringMatching(`^meter .${which}. ended with `));
  });
});

test("three stages run in their order", () => {
  const { stdout, found } = run(line(stage("a", "printf a"), stage("b", "cat; printf b"), stage("c", "cat; printf c")));
  expect(stdout.toString()).toBe("abc");
  expect(found?.report.inner).toEqual({ bytes: 1, sha256: sha256("a") });
});

test("a first stage that is killed half-way is told, though the last one ends well", () => {
  const { found, stdout } = run(line(stage("pg_dump", "head -c 100000 /dev/zero; kill -9 $$"), stage("gzip", "gzip")));
  expect(stdout.length).toBeGreaterThan(20);
  expect(found?.report.statuses).toMatchObject({ pg_dump: 137, gzip: 0 });
  expect(failures(found?.report as never)).toEqual(["pg_dump ended with signal 9"]);
});

test.each([0, 1])("stage %i is a program that does not exist", (missing) => {
  const stages = [stage("a", "printf hello"), stage("b", "cat")];
  stages[missing] = { name: "gone", argv: ["summit-no-such-program", "-x"] };
  const { found } = run(line(...stages));
  expect(failures(found?.report as never)).toContain("gone ended with exit status 127");
  expect(found?.messages).toContain("summit-no-such-program");
});

test("chatty programs: the end of what each says arrives, and the report after it", () => {
  const chat = (word: string) => `yes ${word} | head -c 5000000 >&2; echo last-${word} >&2`;
  const { found, stderr } = run(line(stage("a", chat("left")), stage("b", `cat; ${chat("right")}`)));
  expect(stderr.length).toBeLessThan(40_000);
  expect(found?.messages).toMatch(/last-left\n[\s\S]*last-right$/);
  expect(failures(found?.report as never)).toEqual([]);
});

test("a program that prints what looks like a report cannot pass for one", () => {
  const forged = (nonce: string) =>
    `printf '\\n${nonce} 0 0 0 0 0 1 ${"0".repeat(64)} = 1 ${"0".repeat(64)} =\\n' >&2; exit 1`;
  const guessed = run(line(stage("liar", forged("summitctl-report-ffff")), stage("b", "cat")));
  expect(guessed.found?.report.statuses["liar"]).toBe(1);
  const known = run(line(stage("liar", forged(NONCE)), stage("b", "cat")));
  expect(known.found?.report.statuses["liar"]).toBe(1);
});

test.each([
  ["nothing", ""],
  ["another nonce", "\nsummitctl-report-ffff 0 0 0 0 0 1 a = 1 b =\n"],
  ["a report that was cut", `\n${NONCE} 0 0 0 0 0 1 a 1\n`],
  ["the nonce inside of a line", `words ${NONCE} 0 0 0 0 0 1 a = 1 b =\n`],
])("no report is read from %s", (_what, stderr) => {
  expect(readReport(stderr, line(stage("a", ""), stage("b", "")))).toBeUndefined();
});

test("a script that is ended leaves no report and no folder", () => {
  const pipeline = line(stage("a", "kill -TERM $PPID; sleep 0.2"), stage("b", "cat"));
  const script = `echo "pid $$" >&2; ${pipelineScript(pipeline)}`;
  const { stderr } = spawnSync("sh", ["-c", script], { timeout: 15_000 });
  expect(readReport(stderr.toString(), pipeline)).toBeUndefined();
  const pid = /pid (\d+)/.exec(stderr.toString())?.[1];
  expect(existsSync(`/tmp/summitctl-pipe-${pid}`)).toBe(false);
});

test("folders of dead processes are removed, those of living ones stay", () => {
  const dead = spawnSync("true").pid;
  const [stale, living] = [`/tmp/summitctl-pipe-${dead}`, `/tmp/summitctl-pipe-${process.pid}`];
  for (const folder of [stale, living]) mkdirSync(folder, { recursive: true });
  try {
    run(line(stage("a", "true"), stage("b", "cat")));
    expect([existsSync(stale), existsSync(living)]).toEqual([false, true]);
  } finally {
    rmSync(living, { recursive: true });
  }
});

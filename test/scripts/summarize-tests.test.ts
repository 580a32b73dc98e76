import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/summarize-tests.ts");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summitctl-summary-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Status = "passed" | "failed" | "skipped";

/** Runs it on a report of files, each a list of test results, as vitest would write it. */
async function summarize({
  files,
  checks = 0,
  vitest = 0,
  ci = false,
}: {
  files: { status: string; tests: Status[] }[];
  checks?: number;
  vitest?: number;
  ci?: boolean;
}) {
  const report = join(folder, "report.json");
  const all = files.flatMap(({ tests }) => tests);
  await writeFile(
    report,
    JSON.stringify({
      numPassedTests: all.filter((status) => status === "passed").length,
      numFailedTests: all.filter((status) => status === "failed").length,
      testResults: files.map(({ status, tests }, file) => ({
        name: `${file}.test.ts`,
        status,
        assertionResults: tests.map((result, index) => ({ fullName: `test ${index}`, status: result })),
      })),
    }),
  );
  return run(report, { checks, vitest, ci });
}

async function run(report: string, { checks = 0, vitest = 0, ci = false }) {
  const { stdout, exitCode } = await execa(
    process.execPath,
    ["--import", "tsx", SCRIPT, report, String(checks), String(vitest)],
    { reject: false, env: { CI: ci ? "true" : "" } },
  );
  return { last: stdout.split("\n").at(-1), exitCode };
}

const good = { status: "passed", tests: ["passed", "passed"] as Status[] };

test("all passed", async () => {
  expect(await summarize({ files: [good] })).toEqual({ last: "2 passed, 0 failed", exitCode: 0 });
});

test("a failed test, and a file that did not load, are failures", async () => {
  const files = [good, { status: "failed", tests: ["failed"] as Status[] }, { status: "failed", tests: [] }];
  expect(await summarize({ files, vitest: 1 })).toEqual({ last: "2 passed, 2 failed", exitCode: 1 });
});

test("failed checks are a failure, and so is an error outside of any test", async () => {
  expect(await summarize({ files: [good], checks: 1 })).toEqual({ last: "2 passed, 1 failed", exitCode: 1 });
  expect(await summarize({ files: [good], vitest: 1 })).toEqual({ last: "2 passed, 1 failed", exitCode: 1 });
});

test("a skip is said, and in CI it fails unless it is listed", async () => {
  const files = [{ status: "passed", tests: ["passed", "skipped"] as Status[] }];
  expect(await summarize({ files })).toEqual({ last: "1 passed, 0 failed, 1 skipped", exitCode: 0 });
  expect(await summarize({ files, ci: true })).toEqual({ last: "1 passed, 1 failed", exitCode: 1 });
});

test("no report is a failure", async () => {
  expect(await run(join(folder, "absent.json"), { vitest: 1 })).toEqual({ last: "0 passed, 1 failed", exitCode: 1 });
});

import { existsSync, readFileSync } from "node:fs";

/**
 * The last line of a test run: `N passed, N failed[, N skipped]`. Exits 1 unless everything that ran passed, the
 * checks before it too, and in CI every skip is listed, with its reason, in test/allowed-skips.json.
 *
 * usage: summarize-tests REPORT CHECKS-STATUS VITEST-STATUS
 */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const [reportFile = "", checks = "0", vitest = "0"] = process.argv.slice(2);
process.exitCode = summarize();

function summarize(): number {
  if (!existsSync(reportFile)) {
    // Nothing ran: the runner itself failed, which must not read as a pass.
    console.log("0 passed, 1 failed");
    return 1;
  }
  const report: Report = JSON.parse(readFileSync(reportFile, "utf8"));
  const skipped = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => !["passed", "failed"].includes(status)).map(({ fullName }) => fullName),
  );
  // A file that did not load has no test to count.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  ).length;
  const unlisted = process.env["CI"] ? skipped.filter((name) => !allowedSkips().has(name)) : [];
  for (const name of unlisted) console.log(`skipped, and not listed in test/allowed-skips.json: ${name}`);

  let failed = report.numFailedTests + broken + unlisted.length + (checks === "0" ? 0 : 1);
  // An error outside of any test fails vitest though every test passed.
  if (failed === 0 && vitest !== "0") failed = 1;
  const listed = skipped.length - unlisted.length;
  console.log(`${report.numPassedTests} passed, ${failed} failed${listed > 0 ? `, ${listed} skipped` : ""}`);
  return failed === 0 ? 0 : 1;
}

function allowedSkips(): ReadonlySet<string> {
  const file = new URL("../test/allowed-skips.json", import.meta.url);
  const entries: readonly { name: string; reason: string }[] = JSON.parse(readFileSync(file, "utf8"));
  return new Set(entries.filter(({ reason }) => reason !== "").map(({ name }) => name));
}

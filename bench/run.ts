import { cpus, totalmem } from "node:os";
import { Chalk } from "chalk";
import { viewText } from "../src/providers/output/view-text.ts";
import type { Bench } from "./bench.ts";

/** `npm run bench -- <work> [--json]`: side by side in one run, medians and ratios. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  help: async () => (await import("./help.ts")).help,
  backup: async () => (await import("./backup.ts")).backup,
  restore: async () => (await import("./restore.ts")).restore,
  failover: async () => (await import("./failover.ts")).failover,
  demo: async () => (await import("./demo.ts")).demo,
  catalog: async () => (await import("./catalog.ts")).catalog,
};

const [work = "", ...flags] = process.argv.slice(2);
const load = Object.hasOwn(BENCHES, work) ? BENCHES[work] : undefined;
if (load === undefined) {
  process.stderr.write(
    `expected one of ${Object.keys(BENCHES).join(", ")}, got "${work}"\nhint: npm run bench -- backup --json\n`,
  );
  process.exitCode = 2;
} else {
  const { rows, notes } = await (await load())((line) => process.stderr.write(`${line}\n`));
  const computer = `${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, Node ${process.versions.node}`;
  if (flags.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ schema: "summitctl.bench.v1", work, computer, rows, notes })}\n`);
  } else {
    const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
    process.stdout.write(
      viewText(
        [
          { title: `${work}, on ${computer}` },
          {
            head: ["what", "median", "minimum", "maximum", "unit", "ratio", "target", "reached"],
            rows: rows.map((row) => [
              row.name,
              number(row.median),
              number(row.minimum),
              number(row.maximum),
              row.unit,
              row.ratio === undefined ? "" : row.ratio.toFixed(2),
              row.target === undefined ? "" : `at most ${row.target}`,
              row.target === undefined ? "" : (row.ratio ?? row.median) <= row.target ? "yes" : "NO",
            ]),
          },
          ...notes.map((text) => ({ text })),
        ],
        { chalk: new Chalk({ level: 0 }), columns: undefined },
      ),
    );
  }
}

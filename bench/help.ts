import { fileURLToPath } from "node:url";
import { type Bench, median, row } from "./bench.ts";
import { measuredRun } from "./measured-run.ts";

const BIN = fileURLToPath(new URL("../bin/summitctl", import.meta.url));
const RUNS = 25;

/** Start-up: `summitctl --help` against a bare node. */
export const help: Bench = async () => {
  const bare: number[] = [];
  const helped: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    bare.push((await measuredRun(process.execPath, ["-e", "0"])).seconds * 1000);
    helped.push((await measuredRun(process.execPath, [BIN, "--help"])).seconds * 1000);
  }
  return {
    rows: [
      row("node -e 0", "ms", bare),
      row("summitctl --help", "ms", helped, { ratio: median(helped) / median(bare), target: 2 }),
    ],
    notes: [`${RUNS} runs each, interleaved`],
  };
};

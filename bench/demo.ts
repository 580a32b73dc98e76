import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, row } from "./bench.ts";
import { measuredRun } from "./measured-run.ts";

const RUNS = Number(process.env["BENCH_RUNS"] ?? 3);

/** `npm run demo` when images and dependencies are there. */
export const demo: Bench = async (say) => {
  const folder = await mkdtemp(join(tmpdir(), "summitctl-bench-"));
  const times: number[] = [];
  try {
    for (let run = 0; run < RUNS; run += 1) {
      const env = { ...process.env, XDG_STATE_HOME: folder };
      const { seconds, stdout } = await measuredRun(
        "npm",
        ["run", "demo", "--silent", "--prefix", fileURLToPath(new URL("..", import.meta.url))],
        env,
      );
      times.push(seconds);
      say(stdout.trim().split("\n").at(-1) ?? "");
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { rows: [row("npm run demo", "s", times, { target: 90 })], notes: [`${RUNS} runs, everything installed`] };
};

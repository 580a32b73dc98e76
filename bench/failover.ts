import { type Bench, row } from "./bench.ts";
import { BenchProject } from "./bench-project.ts";

const RUNS = Number(process.env["BENCH_RUNS"] ?? 3);

interface Failover {
  readonly rtoSeconds: number;
  readonly timeline: readonly { name: string; from: number; to: number }[];
}

/** A whole failover of the example stack with small data and a golden image: from agreement to a good page at the address. */
export const failover: Bench = async (say) => {
  await using project = await BenchProject.make();
  await project.fill("10MB", say);
  await project.summitctl("backup");
  const times: number[] = [];
  const steps = new Map<string, number[]>();
  let live = "production";
  for (let run = 0; run < RUNS; run += 1) {
    await project.cutOff(live);
    const { stdout } = await project.summitctl("failover", "--yes", "--json");
    const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Failover;
    times.push(result.rtoSeconds);
    for (const { name, from, to } of result.timeline)
      steps.set(name.replace(/^fence .*/, "fence"), [
        ...(steps.get(name.replace(/^fence .*/, "fence")) ?? []),
        to - from,
      ]);
    say(`run ${run + 1}: ${result.rtoSeconds.toFixed(1)} s`);
    await project.summitctl("destroy", "-e", live, "--confirm", live);
    live = live === "production" ? "spare" : "production";
  }
  return {
    rows: [
      row("failover to verified health", "s", times, { target: 20 }),
      ...[...steps].map(([name, seconds]) => row(`  ${name}`, "s", seconds)),
    ],
    notes: [`${RUNS} runs; golden image present, 10 MB of data; first backup is not part of the time`],
  };
};

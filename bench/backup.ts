import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Bench, median, row } from "./bench.ts";
import { BenchProject } from "./bench-project.ts";

const SIZE = process.env["BENCH_SIZE"] ?? "640MB";
const RUNS = Number(process.env["BENCH_RUNS"] ?? 3);

/** A backup against the 2012 line, `ssh … pg_dump` piped to `bzip2`, on the same database. */
export const backup: Bench = async (say) => {
  await using project = await BenchProject.make();
  await project.fill(SIZE, say);
  const line: number[] = [];
  const ours: number[] = [];
  const memory: number[] = [];
  const dump = join(project.folder, "line.sql.bz2");
  for (let run = 0; run < RUNS; run += 1) {
    line.push(
      (await project.sshLine("postgresql/0", "sudo -u postgres pg_dump summit", `| bzip2 > '${dump}'`)).seconds,
    );
    const taken = await project.summitctl("backup");
    ours.push(taken.seconds);
    memory.push(taken.peakMemory);
    say(`run ${run + 1}: 2012 line ${line.at(-1)?.toFixed(1)} s, summitctl ${taken.seconds.toFixed(1)} s`);
  }
  const store = join(project.folder, "store", project.name, "production");
  const [newest = ""] = (await readdir(store)).sort().reverse();
  const files = await Promise.all(
    (await readdir(join(store, newest))).map(async (file) => (await stat(join(store, newest, file))).size),
  );
  const stored = files.reduce((sum, size) => sum + size, 0) / 1e6;
  const lineSize = (await stat(dump)).size / 1e6;
  return {
    rows: [
      row("2012 line", "s", line),
      row("summitctl backup", "s", ours, { ratio: median(ours) / median(line), target: 0.5 }),
      row("2012 line, size", "MB", [lineSize]),
      row("summitctl backup, size", "MB", [stored], { ratio: stored / lineSize }),
      row("summitctl, peak memory", "MB", memory, { target: 200 }),
    ],
    notes: [`${RUNS} runs each, interleaved; database of about ${SIZE}`],
  };
};

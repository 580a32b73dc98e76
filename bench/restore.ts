import { join } from "node:path";
import { type Bench, median, row } from "./bench.ts";
import { BenchProject } from "./bench-project.ts";

const SIZE = process.env["BENCH_SIZE"] ?? "640MB";
const RUNS = Number(process.env["BENCH_RUNS"] ?? 3);
/** Of the time of the 2012 line. */
const TARGETS = { bzip2: 0.8, zstd: 0.5 } as const;
const FORMS = ["bzip2", "zstd"] as const;

/** A restore against that of 2012, `bunzip2 -c FILE | ssh … psql` into a fresh database, of the same data. */
export const restore: Bench = async (say) => {
  await using project = await BenchProject.make();
  await project.fill(SIZE, say);
  const file = join(project.folder, "line.sql.bz2");
  say("dump");
  await project.sshLine("postgresql/0", "sudo -u postgres pg_dump summit", `| bzip2 > '${file}'`);
  const ids = { bzip2: "", zstd: "" };
  for (const compression of FORMS) {
    await project.configure(`backup: { compression: ${compression} }`);
    const { stdout } = await project.summitctl("backup", "--json");
    ids[compression] = lastObject<{ manifest: { id: string } }>(stdout).manifest.id;
  }
  const line: number[] = [];
  const ours = { bzip2: [] as number[], zstd: [] as number[] };
  const memory: number[] = [];
  const sql = (program: string) =>
    project.summitctl("ssh", "postgresql/0", "--", "sudo", "-u", "postgres", program, "restored");
  for (let run = 0; run < RUNS; run += 1) {
    await sql("createdb");
    const psql = "sudo -u postgres psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d restored";
    line.push((await project.sshLine("postgresql/0", psql, "", `bunzip2 -c '${file}' |`)).seconds);
    await sql("dropdb");
    for (const compression of FORMS) {
      const taken = await project.summitctl("restore", ids[compression], "--to", "production", "--as", "restored");
      ours[compression].push(taken.seconds);
      memory.push(taken.peakMemory);
      await sql("dropdb");
    }
    const seconds = [line, ours.bzip2, ours.zstd].map((all) => all.at(-1)?.toFixed(1));
    say(`run ${run + 1}: 2012 line ${seconds[0]} s, summitctl ${seconds[1]} s, with zstd ${seconds[2]} s`);
  }
  return {
    rows: [
      row("2012 line", "s", line),
      ...FORMS.map((form) =>
        row(`summitctl restore, ${form}`, "s", ours[form], {
          ratio: median(ours[form]) / median(line),
          target: TARGETS[form],
        }),
      ),
      row("summitctl, peak memory", "MB", memory, { target: 150 }),
    ],
    notes: [
      `${RUNS} runs each, interleaved; database of about ${SIZE}`,
      "summitctl's includes the comparison of all rows and ANALYZE, which the 2012 line leaves out",
    ],
  };
};

const lastObject = <T>(lines: string): T => JSON.parse(lines.trim().split("\n").at(-1) ?? "") as T;

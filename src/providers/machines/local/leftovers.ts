import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processRuns } from "../../../core/process-life.ts";

/** Containers and temporary folders carry the process id of their maker: `summitctl-seed-1234-x7Tq2b`. */
const MADE_BY = /^summitctl-(?:build|seed)-(\d+)-/;

/** Whether that name is of something whose maker was killed before it could remove it. */
export async function isLeftover(name: string): Promise<boolean> {
  const pid = MADE_BY.exec(name)?.[1];
  return pid !== undefined && Number(pid) !== process.pid && !(await processRuns(Number(pid)));
}

/** Removed when it is disposed of, or by the next command when this one is killed. */
export async function temporaryFolder(purpose: "build" | "seed"): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), `summitctl-${purpose}-${process.pid}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Temporary folders of processes that were killed. They may hold user-data, and with it a key. */
export async function removeLeftoverFolders(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    if (await isLeftover(entry)) await rm(join(tmpdir(), entry), { recursive: true, force: true });
  }
}

import { mkdir, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isBackupId } from "../core/names.ts";
import { processRuns, startTime } from "../core/process-life.ts";

const NAME = /^(?<id>[^.]+)\.unfinished-(?<host>.+)-(?<pid>\d+)-(?<started>\d*)$/;

/** A new folder in `target` for a backup that is being fetched, which says who does it. Rejects when it exists. */
export async function makeUnfinishedFolder(target: string, id: string): Promise<string> {
  const started = (await startTime(process.pid)) ?? "";
  const folder = join(target, `${id}.unfinished-${hostname()}-${process.pid}-${started}`);
  // One level only: with `recursive`, a path in /proc keeps Node busy for ever.
  await mkdir(target, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

/**
 * Removes what killed processes of this computer left in `target`. Those of other computers stay: whether they run
 * cannot be told from here, and age proves nothing.
 */
export async function removeAbandonedFolders(target: string): Promise<void> {
  for (const name of await readdir(target).catch(() => [])) {
    const { id = "", host, pid, started } = NAME.exec(name)?.groups ?? {};
    if (!isBackupId(id) || host !== hostname() || (await isRunning(Number(pid), started))) continue;
    await rm(join(target, name), { recursive: true, force: true });
  }
}

/** The number of a process that ended may be another one's by now. */
const isRunning = async (pid: number, started = ""): Promise<boolean> =>
  (await processRuns(pid)) && (started === "" || (await startTime(pid)) === started);

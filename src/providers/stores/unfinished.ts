import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Objects being written live here, in the store's root; no key may start with a dot. */
export const UNFINISHED_FOLDER = ".unfinished";

const WEEK_MS = 7 * 24 * 3600 * 1000;
const NAME = /^(?<host>.+)\.(?<pid>\d+)\.[0-9a-f]+$/;

/** A new name for a file to be written, which says who writes it. The folder is there afterwards. */
export async function unfinishedFile(root: string): Promise<string> {
  const folder = join(root, UNFINISHED_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${hostname()}.${process.pid}.${randomBytes(6).toString("hex")}`);
}

/**
 * Removes what killed writers left: those of this computer that no longer run, and of others what nobody has touched
 * for a week. Best effort: what stays is in nobody's way but takes room.
 */
export async function removeUnfinished(root: string): Promise<void> {
  const folder = join(root, UNFINISHED_FOLDER);
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    if (await isAbandoned(file, name)) await rm(file, { force: true }).catch(() => undefined);
  }
}

async function isAbandoned(file: string, name: string): Promise<boolean> {
  const { host, pid } = NAME.exec(name)?.groups ?? {};
  if (host === hostname()) return !isRunning(Number(pid));
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > WEEK_MS;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

import { mkdir, open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { SummitError } from "./errors.ts";

interface Holder {
  readonly pid: number;
  /** Start time of the process, so that a reused pid is not taken for it. Empty where the system does not tell. */
  readonly started: string;
  readonly host: string;
  readonly what: string;
  readonly since: string;
}

export interface PidLockOptions {
  /** What the holder is doing, for the other one's message. */
  readonly what: string;
  /** Seconds to wait for the holder to end; 0 gives up at once. */
  readonly wait: number;
  readonly signal?: AbortSignal;
}

/**
 * A lock between processes of one computer: a file that names its holder. The lock of a process that no longer
 * runs is taken over, so kill -9 leaves nothing to clean up. Rejects with kind `locked`.
 */
export async function takePidLock(file: string, { what, wait, signal }: PidLockOptions): Promise<AsyncDisposable> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const deadline = Date.now() + wait * 1000;
  for (;;) {
    signal?.throwIfAborted();
    if (await tryTake(file, what)) return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    const holder = await readHolder(file);
    if (holder === undefined || !(await isAlive(holder))) {
      await removeStale(file, holder);
      continue;
    }
    if (Date.now() >= deadline) {
      throw new SummitError("locked", `${holder.what} is running on ${holder.host} since ${holder.since} as process ${holder.pid}`, {
        hint: `wait for it, or end it with: kill ${holder.pid}`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function tryTake(file: string, what: string): Promise<boolean> {
  const holder: Holder = {
    pid: process.pid,
    started: (await startTime(process.pid)) ?? "",
    host: hostname(),
    what,
    since: new Date().toISOString(),
  };
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(JSON.stringify(holder));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new SummitError("unexpected", `the lock file ${file} cannot be written`, { cause: error });
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  // The holder writes its name right after creating the file; an empty file is given a moment.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const text = await readFile(file, "utf8").catch(() => "");
    try {
      return JSON.parse(text) as Holder;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return undefined;
}

/** Only the file that was judged is removed: another process may have taken the lock over meanwhile. */
async function removeStale(file: string, judged: Holder | undefined): Promise<void> {
  const current = await readFile(file, "utf8").catch(() => "");
  if (judged === undefined || current === JSON.stringify(judged)) await rm(file, { force: true });
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return holder.started === "" || (await startTime(holder.pid)) === holder.started;
}

/** Field 22 of /proc/PID/stat; undefined on systems without it. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

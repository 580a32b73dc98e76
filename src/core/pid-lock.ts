import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { messageOf, SummitError } from "./errors.ts";
import { processRuns, startTime } from "./process-life.ts";

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

/** Milliseconds after which a claim to remove a stale lock is itself taken for left behind. */
const CLAIM_LIFE = 10_000;

/**
 * A lock between processes of one computer: a file that names its holder. The lock of a process that no longer
 * runs is taken over, so kill -9 leaves nothing to clean up. Rejects with kind `locked`.
 */
export async function takePidLock(file: string, { what, wait, signal }: PidLockOptions): Promise<AsyncDisposable> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unwritable(file, error);
  });
  const deadline = Date.now() + wait * 1000;
  for (;;) {
    signal?.throwIfAborted();
    if (await tryTake(file, what)) return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (holder === undefined || !(await isAlive(holder))) {
      await removeStale(file, text);
      continue;
    }
    if (Date.now() >= deadline) throw lockedError(file, holder);
    await pause(200);
  }
}

/** The file appears with its content, by a link, so nobody sees a lock without a holder. */
async function tryTake(file: string, what: string): Promise<boolean> {
  const holder: Holder = {
    pid: process.pid,
    started: (await startTime(process.pid)) ?? "",
    host: hostname(),
    what,
    since: new Date().toISOString(),
  };
  const own = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    await writeFile(own, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unwritable(file, error);
  } finally {
    await rm(own, { force: true });
  }
}

/** Undefined for what a power cut may leave: an empty or cut file. */
function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    return typeof value?.pid === "number" && value.pid > 0 ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Only the file that was judged is removed: another process may have taken the lock over meanwhile. One at a time may
 * look and remove, or the second would remove what the first has just put in its place.
 */
async function removeStale(file: string, judged: string): Promise<void> {
  const claim = `${file}.stale`;
  try {
    await writeFile(claim, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const claimed = await stat(claim).catch(() => undefined);
    if (claimed !== undefined && Date.now() - claimed.mtimeMs > CLAIM_LIFE) await rm(claim, { force: true });
    await pause(20);
    return;
  }
  try {
    if ((await readFile(file, "utf8").catch(() => "")) === judged) await rm(file, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

function lockedError(file: string, { pid, host, what, since }: Holder): SummitError {
  const here = host === hostname();
  return new SummitError("locked", `${what} is running on ${host} since ${since} as process ${pid}`, {
    hint: here ? `wait for it, or end it with: kill ${pid}` : `end it on ${host}; if that computer is gone: rm ${file}`,
  });
}

const unwritable = (file: string, cause: unknown): SummitError =>
  new SummitError("unexpected", `the lock file ${file} cannot be written: ${messageOf(cause)}`, {
    cause,
    hint: `ls -ld ${dirname(file)}`,
  });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function isAlive({ pid, host, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  return (await processRuns(pid)) && (started === "" || (await startTime(pid)) === started);
}

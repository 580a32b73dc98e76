import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { RowCounts } from "./database-facts.ts";
import { countLoaded, type DatabaseLoad, feedDatabase, type LoadDeps } from "./feed-database.ts";
import { lastText } from "./last-text.ts";
import { buildIndexesArgv, loadDataArgv } from "./load-lines.ts";
import { openScratchFolder } from "./scratch-folder.ts";
import { openSqlSession } from "./sql-session.ts";

/** More do not pay, and each is a connection. */
const MOST_JOBS = 8;

/**
 * Streams an archive into a database and resolves with the rows of its tables. Of the archive only the beginning is kept
 * on the machine: what comes after the data, such as indexes, needs no more, and is built by several sessions at a time,
 * while the rows are counted. Nothing of that begins before the stream was found to be what was dumped.
 */
export async function loadArchive(server: DatabaseServer, load: DatabaseLoad, deps: LoadDeps): Promise<RowCounts> {
  try {
    await using folder = await openScratchFolder(server, deps.signal);
    const head = `${folder.path}/head`;
    const jobs = mostJobs(server, deps.signal);
    // Asked for while the data is loaded; whoever waits for it sees how it failed.
    jobs.catch(() => undefined);
    await feedDatabase(server, load, { name: "pg_restore", argv: loadDataArgv(load.into, head) }, deps);
    return await finish(server, load, { head, jobs: await jobs }, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    throw error;
  }
}

interface Kept {
  /** The file that holds the beginning of the archive. */
  readonly head: string;
  readonly jobs: number;
}

async function finish(server: DatabaseServer, load: DatabaseLoad, kept: Kept, deps: LoadDeps): Promise<RowCounts> {
  const stopped = new AbortController();
  const both = { ...deps, signal: AbortSignal.any([deps.signal, stopped.signal]) };
  const work = [countLoaded(server, load, both), buildIndexes(server, load, kept, both)] as const;
  try {
    const [rows] = await Promise.all(work);
    return rows;
  } catch (error) {
    // What still works on the database must be over before anybody removes it.
    stopped.abort();
    await Promise.allSettled(work);
    throw error;
  }
}

async function buildIndexes(
  server: DatabaseServer,
  { member, into }: DatabaseLoad,
  { head, jobs }: Kept,
  { out, signal }: LoadDeps,
): Promise<void> {
  const task = out.task(`indexes and constraints of ${member.database}`);
  try {
    const argv = buildIndexesArgv(into, head, jobs);
    const child = await server.shell.open(argv, { as: "postgres", signal });
    child.stdout.resume();
    const messages = lastText(child.stderr, 16_384);
    const status = await child.exit;
    if (status.code !== 0) {
      throw new SummitError(
        "remote",
        `pg_restore ended with ${status.signal ?? exitText(status.code ?? 0)} after the data was loaded`,
        { details: messages().trim().split("\n").slice(-8), hint: "run the same command again" },
      );
    }
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

/** A shell tells of a signal by a status above 128. */
const exitText = (code: number): string => (code > 128 ? `signal ${code - 128}` : `exit status ${code}`);

/** A quarter of the connections that the server has. */
async function mostJobs({ shell }: DatabaseServer, signal: AbortSignal): Promise<number> {
  await using session = await openSqlSession(shell, "postgres", signal);
  const [connections = ""] = await session.query("SHOW max_connections");
  return Math.max(1, Math.min(MOST_JOBS, Math.floor(Number(connections) / 4)));
}

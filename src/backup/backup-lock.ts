import { setTimeout as delay } from "node:timers/promises";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { durationText } from "../core/time.ts";
import { literal, openSqlSession, type SqlSession } from "./sql-session.ts";
import { bounded } from "./swap-databases.ts";

/**
 * Any two backups of one server exclude each other on the server itself, whatever databases they take, so the lock ends
 * with the session. Advisory locks are a database's own: it is held in the one that every server has.
 */
const KEY = "hashtextextended('summitctl backup', 0)";
const LOCK_DATABASE = "postgres";

const HOLDER = `SELECT json_build_object('name', a.application_name,
    'since', to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'seconds', extract(epoch FROM clock_timestamp() - a.backend_start)::int)
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::bigint << 32) | l.objid::bigint = ${KEY}
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

interface LockHolder {
  /** As it called its session. */
  readonly name: string;
  readonly since: string;
  readonly seconds: number;
}

export interface BackupLockRequest {
  /** Who takes it and for what, for the other one's message; the server keeps the first 63 bytes. */
  readonly holder: string;
  /** Seconds to wait for the other backup to end. */
  readonly wait: number;
}

/** Resolves with the session that holds the lock. Rejects with kind `locked`, saying who has it and since when. */
export async function takeBackupLock(
  server: DatabaseServer,
  { holder, wait }: BackupLockRequest,
  deps: Pick<Deps, "out" | "now" | "signal">,
): Promise<SqlSession> {
  const session = await openSqlSession(server.shell, LOCK_DATABASE, deps.signal);
  try {
    await session.query(`SET application_name = ${literal(bounded(holder, 63))}`);
    if (!(await tryLock(session))) await waitForLock(session, server, wait, deps);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

async function waitForLock(
  session: SqlSession,
  { environment, unit }: DatabaseServer,
  wait: number,
  { out, now, signal }: Pick<Deps, "out" | "now" | "signal">,
): Promise<void> {
  const began = now().getTime();
  const what = `another backup of ${environment} ${unit}`;
  const task = wait > 0 ? out.task(`wait for ${what}`) : undefined;
  try {
    do {
      const [holder] = await session.json<LockHolder>(HOLDER);
      const waited = (now().getTime() - began) / 1000;
      if (waited >= wait) throw isHeld(what, holder);
      task?.progress({ text: `${durationText(wait - waited)} left${holderText(holder)}` });
      await delay(250, undefined, { signal });
    } while (!(await tryLock(session)));
    task?.done("it ended");
  } catch (error) {
    task?.fail();
    signal.throwIfAborted();
    throw error;
  }
}

const holderText = (holder: LockHolder | undefined): string =>
  holder === undefined ? "" : `: ${holder.name}, since ${holder.since}`;

const isHeld = (what: string, holder: LockHolder | undefined): SummitError =>
  new SummitError("locked", `${what} is running${holderText(holder)}`, {
    details: holder === undefined ? [] : [`it began ${durationText(holder.seconds)} ago`],
    hint: "summitctl backup --lock-wait 600    # waits up to ten minutes for it to end",
  });

const tryLock = async (session: SqlSession): Promise<boolean> =>
  (await session.query(`SELECT pg_try_advisory_lock(${KEY})`))[0] === "t";

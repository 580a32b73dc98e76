import { setTimeout as delay } from "node:timers/promises";
import type { Deps } from "../core/deps.ts";
import { messageOf, SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { durationText } from "../core/time.ts";
import { type BlockedSession, blockedBehind, blockedText } from "./blocked-sessions.ts";
import { literal, openSqlSession, type SqlSession } from "./sql-session.ts";

export interface BlockedWatch {
  readonly database: string;
  /** Application name of every session of the work that is watched, and of none else. */
  readonly application: string;
  /** Seconds that somebody may wait behind it before it gives way; undefined: it never does. */
  readonly yieldAfter: number | undefined;
  /** Seconds that somebody has waited when that is told. Default: 5. */
  readonly warnAfter?: number;
  /** Milliseconds between two looks. Default: 1000. */
  readonly every?: number;
}

/**
 * Runs work that holds locks in a database, with a signal of its own, while a session there watches who waits behind
 * it. Each who waits is told of once. When somebody has waited for too long, the server ends every session of the work,
 * the signal is aborted, and this rejects with kind `locked`. A watch that fails is a warning.
 */
export async function watchBlocked<T>(
  server: DatabaseServer,
  watch: BlockedWatch,
  deps: Pick<Deps, "out" | "signal">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const yielded = new AbortController();
  const looking = look(server, watch, deps, { over: over.signal, yielded });
  try {
    return await work(AbortSignal.any([deps.signal, yielded.signal]));
  } catch (error) {
    deps.signal.throwIfAborted();
    yielded.signal.throwIfAborted();
    throw error;
  } finally {
    over.abort();
    await looking;
  }
}

async function look(
  server: DatabaseServer,
  watch: BlockedWatch,
  { out, signal }: Pick<Deps, "out" | "signal">,
  { over, yielded }: { over: AbortSignal; yielded: AbortController },
): Promise<void> {
  const { database, application, yieldAfter, warnAfter = 5, every = 1000 } = watch;
  const told = new Set<number>();
  try {
    await using session = await openSqlSession(server.shell, database, signal);
    await session.query("SET statement_timeout = '10s'");
    while (!over.aborted) {
      const blocked = await blockedBehind(session, application);
      const [longest] = blocked;
      if (longest !== undefined && yieldAfter !== undefined && longest.seconds >= yieldAfter) {
        await endSessions(session, application);
        yielded.abort(gaveWay(database, longest, blocked));
        return;
      }
      for (const one of blocked.filter(({ pid, seconds }) => seconds >= warnAfter && !told.has(pid))) {
        told.add(one.pid);
        out.warn(`behind the dump of "${database}", for ${durationText(one.seconds)} now: ${blockedText(one)}`);
      }
      await delay(every, undefined, { signal: AbortSignal.any([signal, over]) });
    }
  } catch (error) {
    if (!signal.aborted && !over.aborted)
      out.warn(`who waits behind the dump of "${database}" is not watched: ${messageOf(error)}`);
  }
}

/** What they hold is free when this resolves, or a moment later. */
const endSessions = (session: SqlSession, application: string): Promise<string[]> =>
  session.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${literal(application)}`,
  );

function gaveWay(database: string, longest: BlockedSession, blocked: readonly BlockedSession[]): SummitError {
  const waited = durationText(longest.seconds);
  const who =
    blocked.length === 1
      ? `a session that waited ${waited}`
      : `${blocked.length} sessions, one of which waited ${waited}`;
  return new SummitError("locked", `the dump of "${database}" gave way to ${who} behind it`, {
    details: blocked.slice(0, 8).map(blockedText),
    hint: "summitctl backup    # when that is done; or in summit.yaml: backup: { on_blocking: warn }",
  });
}

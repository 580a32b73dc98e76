import { literal, type SqlSession } from "./sql-session.ts";

/** A session of the server that waits for a lock, and cannot get it before ours let go. */
export interface BlockedSession {
  /** Process id at the server. */
  readonly pid: number;
  readonly user: string | null;
  /** What its client calls itself. */
  readonly application: string;
  /** Seconds that it has waited so far, by the server's clock. */
  readonly seconds: number;
  /** `AccessExclusiveLock`; null: it does not wait for a lock of the usual kind. */
  readonly mode: string | null;
  /** Null: it waits for something else than a table. */
  readonly relation: string | null;
  /** The beginning of what it runs. */
  readonly query: string;
}

/**
 * Who waits behind the sessions of that application name, directly or behind one who does: a reader queues behind an
 * ALTER TABLE that queues behind a dump. The longest waiting first. Tables are named as the session's database has them.
 */
export const blockedBehind = (session: SqlSession, application: string): Promise<BlockedSession[]> =>
  session.json<BlockedSession>(`WITH RECURSIVE ours AS (
    SELECT pid FROM pg_stat_activity WHERE application_name = ${literal(application)}
  ), edges AS (
    SELECT pid, unnest(pg_blocking_pids(pid)) AS blocker FROM pg_stat_activity WHERE wait_event_type = 'Lock'
  ), behind AS (
    SELECT e.pid FROM edges e JOIN ours ON ours.pid = e.blocker
    UNION SELECT e.pid FROM edges e JOIN behind b ON b.pid = e.blocker
  ), waiting AS (
    SELECT a.pid, a.usename, a.application_name, l.mode, l.relation::regclass::text AS relation, left(a.query, 300) AS query,
      -- Since when is told from version 14 on.
      extract(epoch FROM clock_timestamp() - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start)) AS seconds
    FROM behind b JOIN pg_stat_activity a ON a.pid = b.pid LEFT JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
    WHERE a.pid NOT IN (SELECT pid FROM ours)
  )
  SELECT json_build_object('pid', pid, 'user', usename, 'application', application_name, 'seconds', coalesce(seconds, 0),
    'mode', mode, 'relation', relation, 'query', query) FROM waiting ORDER BY seconds DESC NULLS LAST`);

/** `app (django, process 4711) wants an AccessExclusiveLock on talk for: ALTER TABLE talk …`, values left out. */
export function blockedText({ pid, user, application, mode, relation, query }: BlockedSession): string {
  const client = [application, `process ${pid}`].filter(Boolean).join(", ");
  const lock = mode === null ? "waits" : `waits for ${mode}${relation === null ? "" : ` on ${relation}`}`;
  return `${user ?? "somebody"} (${client}) ${lock}, to run: ${withoutValues(query)}`;
}

/** What stands in quotes may be a password. */
function withoutValues(query: string): string {
  const text = query
    .replaceAll(/'[^']*(?:'|$)/g, "'…'")
    .replaceAll(/\$\w*\$[\s\S]*/g, "$…$")
    .replaceAll(/\s+/g, " ")
    .trim();
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

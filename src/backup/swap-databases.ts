import type { Shell } from "../core/ports/shell.ts";
import { utcStamp } from "../core/time.ts";
import { identifier, literal, openSqlSession, type SqlSession } from "./sql-session.ts";

export async function databaseExists(session: SqlSession, name: string): Promise<boolean> {
  return (await session.query(`SELECT 1 FROM pg_database WHERE datname = ${literal(name)}`)).length > 0;
}

export async function isEmpty(session: SqlSession, database: string): Promise<boolean> {
  // A database is looked into from inside only; psql changes over and comes back.
  const [tables] = await session.query(`\\connect ${identifier(database)}\nSELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`);
  await session.query("\\connect postgres\nSELECT 1");
  return tables === "0";
}

export async function dropDatabase(session: SqlSession, database: string): Promise<void> {
  await session.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(database)}`);
  await session.query(`DROP DATABASE IF EXISTS ${identifier(database)}`);
}

/**
 * Gives `incoming` the name `name`, and the database that has it now another one, which is returned; an empty one is
 * dropped instead. Both renames are one transaction: at no moment is there no database of that name, or a half one.
 */
export async function swapDatabases(session: SqlSession, shell: Shell, names: { incoming: string; name: string }, now: Date): Promise<string | undefined> {
  const { incoming, name } = names;
  if (!(await databaseExists(session, name))) {
    await session.query(`ALTER DATABASE ${identifier(incoming)} RENAME TO ${identifier(name)}`);
    return undefined;
  }
  const empty = await isEmpty(session, name);
  const kept = `${bounded(name, 30)}_replaced_${utcStamp(now)}`;
  // RENAME locks new connections out, then waits five seconds for the old ones to leave: they are ended meanwhile.
  await using other = await openSqlSession(shell, "postgres");
  const renamed = session.query(`BEGIN;
ALTER DATABASE ${identifier(name)} RENAME TO ${identifier(kept)};
ALTER DATABASE ${identifier(incoming)} RENAME TO ${identifier(name)};
COMMIT`);
  let over = false;
  const watch = renamed.then(() => undefined, () => undefined).then(() => { over = true; });
  while (!over) {
    await other.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (${literal(name)}, ${literal(incoming)})`);
    await Promise.race([watch, new Promise((resolve) => setTimeout(resolve, 200))]);
  }
  await renamed;
  if (!empty) return kept;
  await dropDatabase(session, kept);
  return undefined;
}

/** Cut to a number of bytes, never inside a character. */
export function bounded(name: string, bytes: number): string {
  const characters = [...name];
  while (Buffer.byteLength(characters.join("")) > bytes) characters.pop();
  return characters.join("");
}

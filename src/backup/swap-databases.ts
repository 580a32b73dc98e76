import type { Shell } from "../core/ports/shell.ts";
import { utcStamp } from "../core/time.ts";
import { identifier, literal, openSqlSession, type SqlSession } from "./sql-session.ts";

export async function databaseExists(session: SqlSession, name: string): Promise<boolean> {
  return (await session.query(`SELECT 1 FROM pg_database WHERE datname = ${literal(name)}`)).length > 0;
}

/** Nothing was ever made in it but extensions: no table, no function, no large object, which alone may be somebody's data. */
export async function isEmpty(session: SqlSession, database: string): Promise<boolean> {
  // A database is looked into from inside only; psql changes over and comes back.
  const [made] = await session.query(`\\connect ${identifier(database)}\n${COUNT_MADE}`);
  await session.query("\\connect postgres\nSELECT 1");
  return made === "0";
}

// 16384: the first id that the server gives to what people make.
const COUNT_MADE = `SELECT count(*) FROM (
    SELECT 'pg_class'::regclass AS catalog, oid FROM pg_class UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
    UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata) AS made
  WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = made.catalog AND d.objid = made.oid AND d.deptype = 'e')`;

export async function dropDatabase(session: SqlSession, database: string): Promise<void> {
  await session.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(database)}`);
  await session.query(`DROP DATABASE IF EXISTS ${identifier(database)}`);
}

/**
 * Gives `incoming` the name `name`, and the database that has it now another one, which is returned; an empty one is
 * dropped instead. Both renames are one transaction: at no moment is there no database of that name, or a half one.
 */
export async function swapDatabases(
  session: SqlSession,
  shell: Shell,
  names: { incoming: string; name: string },
  now: Date,
): Promise<string | undefined> {
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
  const watch = renamed
    .then(
      () => undefined,
      () => undefined,
    )
    .then(() => {
      over = true;
    });
  while (!over) {
    await other.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (${literal(name)}, ${literal(incoming)})`,
    );
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

import { askTables } from "../backup/database-facts.ts";
import { openSqlSession } from "../backup/sql-session.ts";
import type { Shell } from "../core/ports/shell.ts";

/** Rows and a digest of their contents, per table, whatever order they are in. */
export type RowDigests = readonly (readonly [schema: string, table: string, rows: number, digest: string])[];

export async function digestRows(shell: Shell, database: string, signal: AbortSignal): Promise<RowDigests> {
  await using session = await openSqlSession(shell, database, signal);
  return await askTables<[number, string]>(
    session,
    "count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text",
  );
}

/** Rows of tables whose contents are equal on both sides, all that there were, and the tables that differ. */
export function compareDigests(
  before: RowDigests,
  after: RowDigests,
): { equal: number; total: number; differing: string[] } {
  let equal = 0;
  const differing: string[] = [];
  for (const [schema, table, rows, digest] of before) {
    const found = after.find(([otherSchema, otherTable]) => otherSchema === schema && otherTable === table);
    if (found?.[2] === rows && found[3] === digest) equal += rows;
    else differing.push(`${schema}.${table}`);
  }
  const isNew = ([schema, table]: RowDigests[number]) => !before.some(([s, t]) => s === schema && t === table);
  differing.push(...after.filter(isNew).map(([schema, table]) => `${schema}.${table}`));
  return { equal, total: before.reduce((sum, [, , rows]) => sum + rows, 0), differing };
}

import type { SqlSession } from "./sql-session.ts";

/** What a dump of a database does not carry when it is restored under another name. */
export interface DatabaseFacts {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c` libc, `i` ICU, `b` builtin. */
  readonly localeProvider: string;
  /** Of the ICU or builtin provider. */
  readonly icuLocale: string | null;
  readonly connectionLimit: number;
  readonly comment: string | null;
  /** Null: the default privileges. */
  readonly grants: readonly DatabaseGrant[] | null;
  readonly settings: readonly DatabaseSetting[];
  readonly extensions: readonly { readonly name: string; readonly version: string }[];
  readonly sizeBytes: number;
  /** Whether it has the schema `public`, as every new database does. */
  readonly publicSchema?: boolean | undefined;
}

export interface DatabaseGrant {
  /** Null: PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

export interface DatabaseSetting {
  /** Null: for every role. */
  readonly role: string | null;
  readonly name: string;
  readonly value: string;
}

export interface ServerFacts {
  /** `15.20` */
  readonly version: string;
  /** `150020` */
  readonly versionNumber: number;
  readonly systemIdentifier: string;
  /** The server's clock. */
  readonly now: string;
}

/** Rows per table, in the order of schema and name. */
export type RowCounts = readonly (readonly [schema: string, table: string, rows: number])[];

export async function readServerFacts(session: SqlSession): Promise<ServerFacts> {
  const [facts] = await session.json<ServerFacts>(`SELECT json_build_object(
    'version', split_part(current_setting('server_version'), ' ', 1),
    'versionNumber', current_setting('server_version_num')::int,
    'systemIdentifier', (SELECT system_identifier::text FROM pg_control_system()),
    'now', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`);
  return facts as ServerFacts;
}

/** Of the database that the session is connected to. */
export async function readDatabaseFacts(session: SqlSession, server: ServerFacts): Promise<DatabaseFacts> {
  const major = Math.floor(server.versionNumber / 10_000);
  const provider = major >= 15 ? "d.datlocprovider::text" : "'c'";
  const icuLocale = major >= 17 ? "d.datlocale" : major >= 15 ? "d.daticulocale" : "NULL";
  const [facts] = await session.json<DatabaseFacts>(`SELECT json_build_object(
    'owner', pg_get_userbyid(d.datdba),
    'encoding', pg_encoding_to_char(d.encoding),
    'collate', d.datcollate, 'ctype', d.datctype, 'localeProvider', ${provider}, 'icuLocale', ${icuLocale},
    'connectionLimit', d.datconnlimit,
    'comment', shobj_description(d.oid, 'pg_database'),
    'grants', (SELECT json_agg(json_build_object('grantee', r.rolname, 'privilege', a.privilege_type, 'grantable', a.is_grantable)
                 ORDER BY a.ordinality)
               FROM aclexplode(d.datacl) WITH ORDINALITY a LEFT JOIN pg_roles r ON r.oid = a.grantee),
    'settings', coalesce((SELECT json_agg(json_build_object('role', r.rolname, 'name', split_part(c, '=', 1), 'value', substr(c, strpos(c, '=') + 1))
                 ORDER BY r.rolname NULLS FIRST, place)
               FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS u (c, place) LEFT JOIN pg_roles r ON r.oid = s.setrole
               WHERE s.setdatabase = d.oid), '[]'::json),
    'extensions', coalesce((SELECT json_agg(json_build_object('name', extname, 'version', extversion) ORDER BY extname) FROM pg_extension), '[]'::json),
    'sizeBytes', pg_database_size(d.oid),
    'publicSchema', EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public'))
    FROM pg_database d WHERE d.datname = current_database()`);
  return facts as DatabaseFacts;
}

/**
 * Counts every table that a dump carries rows of, in the session's own snapshot. Partitioned parents have no rows of
 * their own; tables of extensions are made by CREATE EXTENSION; materialized views are computed anew at restore.
 */
export const countRows = (session: SqlSession): Promise<RowCounts> => askTables(session, "count(*)");

/** `[schema, table, …]` of every such table, where `expression` is SQL over its rows `t`, with commas if it is several. */
export async function askTables<T extends readonly unknown[]>(
  session: SqlSession,
  expression: string,
): Promise<readonly (readonly [string, string, ...T])[]> {
  const rows = await session.json<readonly [string, string, ...T] | null>(`SELECT format(
      'SELECT json_build_array(%L::text, %L::text, ${expression.replaceAll("'", "''")}) FROM ONLY %I.%I t', n.nspname, c.relname, n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \\gexec
SELECT 'null'`);
  return rows.filter((row) => row !== null);
}

/** What differs, in words; empty when both are equal. */
export function compareCounts(expected: RowCounts, found: RowCounts): string[] {
  const key = (schema: string, table: string) => JSON.stringify([schema, table]);
  const left = new Map(found.map(([schema, table, rows]) => [key(schema, table), rows]));
  const differences: string[] = [];
  for (const [schema, table, rows] of expected) {
    const got = left.get(key(schema, table));
    left.delete(key(schema, table));
    if (got === undefined) differences.push(`table ${schema}.${table} is missing, expected ${rows} rows`);
    else if (got !== rows) differences.push(`table ${schema}.${table} has ${got} rows, expected ${rows}`);
  }
  for (const name of left.keys())
    differences.push(`table ${(JSON.parse(name) as string[]).join(".")} was not in the backup`);
  return differences;
}

export const totalRows = (counts: RowCounts): number => counts.reduce((sum, [, , rows]) => sum + rows, 0);

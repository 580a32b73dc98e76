import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import {
  compareCounts,
  type RowCounts,
  readDatabaseFacts,
  readServerFacts,
  type ServerFacts,
  totalRows,
} from "./database-facts.ts";
import { applyFacts, createDatabase } from "./database-statements.ts";
import type { StoredBackup } from "./feed-member.ts";
import { loadArchive } from "./load-archive.ts";
import { loadText } from "./load-text.ts";
import { type DatabaseMember, databaseMembers, type Manifest } from "./manifest.ts";
import { checkSizes } from "./read-member.ts";
import { restoreRoles } from "./restore-roles.ts";
import { identifier, literal, openSqlSession, type SqlSession } from "./sql-session.ts";
import { bounded, databaseExists, dropDatabase, isEmpty, swapDatabases } from "./swap-databases.ts";

type RestoreDeps = Pick<Deps, "out" | "now" | "signal">;

export interface RestoreRequest extends StoredBackup {
  /** Which database of the backup, and the name that it gets. */
  readonly database: string;
  readonly as: string;
  /** Without it, a database of that name is never touched. With it, the old one is kept under another name. */
  readonly replace: boolean;
}

export interface RestoreResult {
  readonly database: string;
  readonly rows: RowCounts;
  readonly totalRows: number;
  /** The name under which the replaced database was kept; undefined when there was none or it was empty. */
  readonly kept: string | undefined;
}

const MARK = "summitctl: a restore under way, not in use";

/**
 * Restores one database into `<name>_incoming`, compares what arrived with the manifest, and only then gives it its
 * name, together with the old one losing it, in one transaction. Until that moment nothing that existed is changed;
 * a failed or cut restore leaves at most the incoming database, which the next one removes.
 */
export async function runRestore(
  server: DatabaseServer,
  request: RestoreRequest,
  deps: RestoreDeps,
): Promise<RestoreResult> {
  const { manifest, store, keys, as } = request;
  const member = databaseMembers(manifest).find(({ database }) => database === request.database);
  if (member === undefined) {
    throw new SummitError(
      "check",
      `the backup ${manifest.id} has no database "${request.database}", it has ${databaseMembers(manifest)
        .map(({ database }) => `"${database}"`)
        .join(", ")}`,
      {
        hint: `summitctl backups show ${manifest.id}`,
      },
    );
  }
  await checkSizes(store, manifest);
  await using session = await openSqlSession(server.shell, "postgres", deps.signal);
  const target = await checkTarget(session, server, request);

  const incoming = incomingName(as);
  await removeIncoming(session, incoming);
  await restoreRoles(server, request, deps);
  await session.query(createDatabase(incoming, member.facts, target));
  await session.query(`COMMENT ON DATABASE ${identifier(incoming)} IS ${literal(MARK)}`);
  try {
    if (member.facts.publicSchema === false) await dropPublicSchema(server, incoming, deps);
    const load = member.content === "sql" ? loadText : loadArchive;
    const rows = await load(server, { manifest, store, keys, member, into: incoming }, deps);
    await verify(server, { manifest, member, incoming, rows }, deps);
    for (const statement of applyFacts(incoming, member.facts)) await session.query(statement);
    const kept = await swapDatabases(session, server.shell, { incoming, name: as }, deps.now());
    return { database: as, rows, totalRows: totalRows(rows), kept };
  } catch (error) {
    await openSqlSession(server.shell, "postgres")
      .then(async (cleaner) => {
        await using _cleaner = cleaner;
        await dropDatabase(cleaner, incoming);
      })
      .catch(() =>
        deps.out.warn(`the unfinished database "${incoming}" could not be removed, the next restore will do it`),
      );
    throw error;
  }
}

/** At most 63 bytes, PostgreSQL's limit. */
const incomingName = (name: string): string => `${bounded(name, 63 - "_incoming".length)}_incoming`;

async function checkTarget(
  session: SqlSession,
  server: DatabaseServer,
  { manifest, as, replace }: RestoreRequest,
): Promise<ServerFacts> {
  const target = await readServerFacts(session);
  const major = (versionNumber: number) => Math.floor(versionNumber / 10_000);
  if (major(target.versionNumber) < major(manifest.server.versionNumber)) {
    throw new SummitError(
      "check",
      `the backup is from PostgreSQL ${manifest.server.version}, ${server.environment} ${server.unit} runs ${target.version}, which is older`,
      {
        hint: `in summit.yaml: services.postgresql.options: { major: ${major(manifest.server.versionNumber)} }`,
      },
    );
  }
  if (!replace && (await databaseExists(session, as))) {
    throw new SummitError(
      "check",
      `database "${as}" exists on ${server.environment} ${server.unit}, and nothing is restored over it`,
      {
        hint: "give another name with --as NAME, or --replace: the old one is then kept under another name",
      },
    );
  }
  return target;
}

/** Only what a restore of ours left; a database of that name that somebody else made is refused. */
async function removeIncoming(session: SqlSession, incoming: string): Promise<void> {
  const [comment] = await session.json<{ comment: string | null }>(
    `SELECT json_build_object('comment', shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = ${literal(incoming)}`,
  );
  if (comment === undefined) return;
  // A kill between CREATE DATABASE and COMMENT leaves one without the mark, and without any content.
  if (comment.comment !== MARK && !(await isEmpty(session, incoming))) {
    throw new SummitError("check", `a database "${incoming}" exists that no restore has made`, {
      hint: "rename or drop it, then run the same command again",
    });
  }
  await dropDatabase(session, incoming);
}

/** Its owner, grants and comment come with the dump; that there was none does not. */
async function dropPublicSchema(server: DatabaseServer, incoming: string, { signal }: RestoreDeps): Promise<void> {
  await using session = await openSqlSession(server.shell, incoming, signal);
  await session.query("DROP SCHEMA IF EXISTS public");
}

interface Arrived {
  readonly manifest: Manifest;
  readonly member: DatabaseMember;
  readonly incoming: string;
  readonly rows: RowCounts;
}

async function verify(
  server: DatabaseServer,
  { manifest, member, incoming, rows }: Arrived,
  deps: RestoreDeps,
): Promise<void> {
  const task = deps.out.task(`check ${member.database}: rows, extensions`);
  await using session = await openSqlSession(server.shell, incoming, deps.signal);
  const { extensions } = await readDatabaseFacts(session, await readServerFacts(session));
  const missing = member.facts.extensions.filter(({ name }) => !extensions.some((found) => found.name === name));
  const differences = [
    ...(manifest.imported === undefined ? compareCounts(member.rows as RowCounts, rows) : []),
    ...missing.map(({ name }) => `extension ${name} is missing`),
  ];
  if (differences.length > 0) {
    task.fail();
    throw new SummitError(
      "verification",
      `the restored database differs from the backup in ${differences.length} points`,
      { details: differences.slice(0, 10), hint: "summitctl backups list    # and restore an older one" },
    );
  }
  await session.query("ANALYZE");
  task.done(`${totalRows(rows)} rows in ${rows.length} tables`);
  if (manifest.imported !== undefined)
    deps.out.warn(`rows were not compared: imported from ${show(manifest.imported.file)}, nobody counted them`);
}

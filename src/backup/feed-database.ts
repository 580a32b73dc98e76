import type { Deps } from "../core/deps.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { countRows, type RowCounts } from "./database-facts.ts";
import { feedMember, type StoredBackup } from "./feed-member.ts";
import type { DatabaseMember } from "./manifest.ts";
import type { Stage } from "./measured-pipeline.ts";
import { openSqlSession } from "./sql-session.ts";

/** What is loaded, and into which database of the server, which is empty. */
export interface DatabaseLoad extends StoredBackup {
  readonly member: DatabaseMember;
  readonly into: string;
}

export type LoadDeps = Pick<Deps, "out" | "signal">;

/** Streams the whole dump into a program on the machine, with its progress. Throws as `feedMember` does. */
export async function feedDatabase(
  server: DatabaseServer,
  { into: _into, ...stored }: DatabaseLoad,
  program: Stage,
  { out, signal }: LoadDeps,
): Promise<void> {
  const { manifest, member } = stored;
  const task = out.task(`restore ${member.database} from ${manifest.id}`);
  try {
    const onBytes = (bytes: number): void => task.progress({ bytes, total: member.stored.bytes });
    await feedMember(server, stored, program, { signal, onBytes });
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

/** The rows of what was loaded. */
export async function countLoaded(
  server: DatabaseServer,
  { into }: Pick<DatabaseLoad, "into">,
  { signal }: Pick<LoadDeps, "signal">,
): Promise<RowCounts> {
  await using session = await openSqlSession(server.shell, into, signal);
  return await countRows(session);
}

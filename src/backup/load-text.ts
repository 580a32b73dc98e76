import type { Deps } from "../core/deps.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { countRows, type RowCounts } from "./database-facts.ts";
import { psqlLoadArgv } from "./dump-line.ts";
import { feedMember } from "./feed-member.ts";
import type { ArchiveLoad } from "./load-archive.ts";
import { openSqlSession } from "./sql-session.ts";

/** As `loadArchive`, of a dump that is SQL text: in one session, from the first line to the last. */
export async function loadText(
  server: DatabaseServer,
  { into, ...stored }: ArchiveLoad,
  { out, signal }: Pick<Deps, "out" | "signal">,
): Promise<RowCounts> {
  const { manifest, member } = stored;
  const task = out.task(`restore ${member.database} from ${manifest.id}`);
  try {
    await feedMember(
      server,
      stored,
      { name: "psql", argv: psqlLoadArgv(into) },
      { signal, onBytes: (bytes) => task.progress({ bytes, total: member.stored.bytes }) },
    );
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
  await using session = await openSqlSession(server.shell, into, signal);
  return await countRows(session);
}

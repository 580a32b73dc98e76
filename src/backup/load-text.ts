import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { RowCounts } from "./database-facts.ts";
import { psqlLoadArgv } from "./dump-line.ts";
import { countLoaded, type DatabaseLoad, feedDatabase, type LoadDeps } from "./feed-database.ts";

/** As `loadArchive`, of a dump that is SQL text: in one session, from the first line to the last. */
export async function loadText(server: DatabaseServer, load: DatabaseLoad, deps: LoadDeps): Promise<RowCounts> {
  await feedDatabase(server, load, { name: "psql", argv: psqlLoadArgv(load.into) }, deps);
  return await countLoaded(server, load, deps);
}

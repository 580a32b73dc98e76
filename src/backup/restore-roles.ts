import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { feedMember, type StoredBackup } from "./feed-member.ts";

/**
 * psql goes on after an error and says its SQLSTATE, behind a word that is ERROR only in one language. That a role
 * exists (42710; the bootstrap superuser does on every server) is left out on the machine: of many messages only the
 * last would arrive. What is left fails the restore, and so does an end of psql that is not said to be good.
 */
const PSQL = `{ psql -X -q -v VERBOSITY=sqlstate -v ON_ERROR_STOP=0 -o /dev/null -d "dbname='postgres'" \\
  -c "SET lc_messages = 'C'" -c "SET client_min_messages = error" -f - 2>&1; echo "psql ended with $?"; } | sed '/ERROR:  42710$/d' >&2`;
const GOOD_END = /^psql ended with 0$/m;
const SQLSTATE = /(?:ERROR|FATAL|PANIC):\s+([0-9A-Z]{5})\b/g;

/**
 * Makes the roles of the backup that are not there, and gives all of them the attributes and memberships they had.
 * Passwords are not in a backup: roles that could log in get theirs from the stack or by hand.
 */
export async function restoreRoles(
  server: DatabaseServer,
  { manifest, store }: StoredBackup,
  deps: Pick<Deps, "out" | "signal">,
): Promise<void> {
  const member = manifest.members.find(({ kind }) => kind === "roles");
  if (member === undefined) return;
  const task = deps.out.task("restore roles");
  try {
    const messages = await feedMember(
      server,
      { manifest, store, member },
      {
        name: "psql",
        argv: ["sh", "-c", PSQL],
      },
      { signal: deps.signal, onBytes: (bytes) => task.progress({ bytes, total: member.stored.bytes }) },
    );
    const bad = [...messages.matchAll(SQLSTATE)].map(([, state]) => state);
    if (bad.length > 0 || !GOOD_END.test(messages)) {
      throw new SummitError(
        "remote",
        `the roles of the backup could not be restored: ${bad.length > 0 ? `SQLSTATE ${[...new Set(bad)].join(", ")}` : "psql did not reach its end"}`,
        {
          details: messages.split("\n").slice(-6),
          hint: `summitctl backups get ${manifest.id}    # and look at ${member.file}`,
        },
      );
    }
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { feedMember, type StoredBackup } from "./feed-member.ts";

/**
 * psql goes on after an error and says its SQLSTATE, behind a word that is ERROR only in one language. That a role
 * exists (42710; the bootstrap superuser does on every server) is left out on the machine: of many messages only the
 * last would arrive. What is left fails the restore, and so does an end of psql that is not said to be good.
 */
const PSQL = `{ psql -X -q -v VERBOSITY=sqlstate -v ON_ERROR_STOP=0 -v ON_ERROR_ROLLBACK=on -o /dev/null -d "dbname='postgres'" \\
  -c "SET lc_messages = 'C'" -c "SET client_min_messages = error" -c BEGIN -c "$1" -f - -c "$2" -c COMMIT 2>&1
echo "psql ended with $?"; } | sed '/ERROR:  42710$/d' >&2`;

/** All of it happens at once, and a role that is there keeps its password: what uses it there knows no other. */
const REMEMBER = `CREATE TEMPORARY TABLE summitctl_passwords ON COMMIT DROP AS
  SELECT rolname, rolpassword FROM pg_authid WHERE rolname !~ '^pg_'`;
const PUT_BACK = `DO $$ DECLARE was record; BEGIN
  FOR was IN SELECT rolname, summitctl_passwords.rolpassword FROM summitctl_passwords JOIN pg_authid AS now USING (rolname)
    WHERE now.rolpassword IS DISTINCT FROM summitctl_passwords.rolpassword
  LOOP EXECUTE format('ALTER ROLE %I PASSWORD %L', was.rolname, was.rolpassword); END LOOP;
END $$`;
const GOOD_END = /^psql ended with 0$/m;
const SQLSTATE = /(?:ERROR|FATAL|PANIC):\s+([0-9A-Z]{5})\b/g;

/**
 * Makes the roles of the backup that are not there, and gives all of them the attributes and memberships they had.
 * Those that are made get their passwords if the backup has them, else from the stack or by hand.
 */
export async function restoreRoles(
  server: DatabaseServer,
  { manifest, store, keys }: StoredBackup,
  deps: Pick<Deps, "out" | "signal">,
): Promise<void> {
  const member = manifest.members.find(({ kind }) => kind === "roles");
  if (member === undefined) return;
  const task = deps.out.task("restore roles");
  try {
    const messages = await feedMember(
      server,
      { manifest, store, keys, member },
      {
        name: "psql",
        argv: ["sh", "-c", PSQL, "sh", REMEMBER, PUT_BACK],
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

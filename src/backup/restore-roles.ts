import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { feedMember, type StoredBackup } from "./feed-member.ts";
import type { DatabaseServer } from "./source.ts";

// 42710: the role exists already. The bootstrap superuser does on every server.
const BENIGN = new Set(["42710"]);
const SQLSTATE = /(?:ERROR|FATAL|PANIC):\s+([0-9A-Z]{5})\b/g;

/**
 * Makes the roles of the backup that are not there, and gives all of them the attributes and memberships they had.
 * Passwords are not in a backup: roles that could log in get theirs from the stack or by hand.
 */
export async function restoreRoles(server: DatabaseServer, { manifest, store }: StoredBackup, deps: Pick<Deps, "out" | "signal">): Promise<void> {
  const member = manifest.members.find(({ kind }) => kind === "roles");
  if (member === undefined) return;
  const task = deps.out.task("restore roles");
  try {
    // psql goes on after an error and says its SQLSTATE, behind a word that is ERROR only in one language; what is not benign fails the restore below.
    const messages = await feedMember(server, { manifest, store }, member, {
      name: "psql",
      argv: ["psql", "-X", "-q", "-v", "VERBOSITY=sqlstate", "-v", "ON_ERROR_STOP=0", "-d", "dbname='postgres'", "-c", "SET lc_messages = 'C'", "-f", "-", "-o", "/dev/null"],
    }, { signal: deps.signal, onBytes: (bytes) => task.progress({ bytes, total: member.stored.bytes }) });
    const bad = [...messages.matchAll(SQLSTATE)].map(([, state]) => state ?? "").filter((state) => !BENIGN.has(state));
    if (bad.length > 0) {
      throw new SummitError("remote", `the roles of the backup could not be restored: SQLSTATE ${[...new Set(bad)].join(", ")}`, {
        details: messages.split("\n").slice(-6), hint: `summitctl backups get ${manifest.id}    # and look at ${member.file}`,
      });
    }
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

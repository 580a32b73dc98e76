import type { Argv } from "../core/argv.ts";
import { conninfo } from "./sql-session.ts";

/** Compressors that write bzip2's format, by preference: lbzip2 uses every core and reads any .bz2 in parallel. */
export const COMPRESSORS = ["lbzip2", "bzip2"] as const;
export type Compressor = (typeof COMPRESSORS)[number];

/**
 * Uncompressed custom format: the compressor behind it does better than pg_dump's own, and the archive keeps its
 * table of contents. `--lock-wait-timeout`, in seconds, keeps a dump from waiting for ever behind a migration.
 */
export const pgDumpArgv = (database: string, snapshot: string, lockWait: number): Argv => [
  "pg_dump",
  "--format=custom",
  "--compress=0",
  "--no-password",
  `--snapshot=${snapshot}`,
  `--lock-wait-timeout=${lockWait}s`,
  "--dbname",
  conninfo(database),
];

/** Roles without password hashes: what a store holds must not let anybody in. */
export const rolesArgv = (): Argv => ["pg_dumpall", "--roles-only", "--no-role-passwords", "--no-password"];

export const compressArgv = (compressor: Compressor): Argv => [compressor, "-c"];
export const decompressArgv = (compressor: Compressor): Argv => [compressor, "-dc"];

/** `--exit-on-error`: a restore that skipped something is a failed restore. */
export const pgRestoreArgv = (database: string): Argv => [
  "pg_restore",
  "--exit-on-error",
  "--no-password",
  "--dbname",
  conninfo(database),
];

/** What complete SQL text of pg_dump and pg_dumpall ends with. Not the last line: patched clients add `\unrestrict`. */
export const SQL_TRAILER = /^-- PostgreSQL database (cluster )?dump complete$/m;

/** `summit-20261122T143800Z.dump.bz2`; what a file name should not hold is written as `=2F`. Different names differ. */
export const memberFile = (name: string, stamp: string, extension: string): string => {
  const safe = [...Buffer.from(name)]
    .map((byte, at) => {
      const character = String.fromCharCode(byte);
      const plain = at === 0 ? /[A-Za-z0-9_]/ : /[A-Za-z0-9_.-]/;
      return plain.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
  return `${safe}-${stamp}.${extension}`;
};

import type { Argv } from "../core/argv.ts";
import type { Compression, Content } from "./manifest.ts";
import { conninfo } from "./sql-session.ts";

/** Programs that write a format, by preference: lbzip2 uses every core and reads any .bz2 in parallel. */
export const COMPRESSORS = {
  bzip2: ["lbzip2", "bzip2"],
  zstd: ["zstd"],
} as const satisfies Readonly<Record<Compression, readonly string[]>>;
export type Compressor = (typeof COMPRESSORS)[Compression][number];

/** Uncompressed: the compressor behind it does better than pg_dump's own. */
const FORMATS: Readonly<Record<Content, readonly string[]>> = {
  archive: ["--format=custom", "--compress=0"],
  sql: ["--format=plain"],
};

/** `--lock-wait-timeout`, in seconds, keeps a dump from waiting for ever behind a migration. */
export const pgDumpArgv = (
  database: string,
  snapshot: string,
  lockWait: number,
  content: Content = "archive",
): Argv => [
  "pg_dump",
  ...FORMATS[content],
  "--no-password",
  `--snapshot=${snapshot}`,
  `--lock-wait-timeout=${lockWait}s`,
  "--dbname",
  conninfo(database),
];

/** Without password hashes: what a store holds as it is must not let anybody in. */
export const rolesArgv = ({ passwords = false }: { passwords?: boolean } = {}): Argv => [
  "pg_dumpall",
  "--roles-only",
  ...(passwords ? [] : ["--no-role-passwords"]),
  "--no-password",
];

/** `level`: 1 to 9, for zstd to 19; undefined: the program's own. Every core is used, by all but bzip2 itself. */
export const compressArgv = (compressor: Compressor, level?: number): Argv => [
  compressor,
  ...(compressor === "zstd" ? ["-q", "-T0"] : []),
  ...(level === undefined ? [] : [`-${level}`]),
  "-c",
];
export const decompressArgv = (compressor: Compressor): Argv =>
  compressor === "zstd" ? ["zstd", "-q", "-dc"] : [compressor, "-dc"];

/** To each of the recipients; their keys are public. */
export const encryptArgv = (recipients: readonly string[]): Argv => [
  "age",
  "--encrypt",
  ...recipients.flatMap((recipient) => ["--recipient", recipient]),
];

/** What opens it is in the file that is its last argument. */
export const decryptArgv = (): Argv => ["age", "--decrypt", "--identity"];

/** `--exit-on-error`: a restore that skipped something is a failed restore. */
export const pgRestoreArgv = (database: string): Argv => [
  "pg_restore",
  "--exit-on-error",
  "--no-password",
  "--dbname",
  conninfo(database),
];

/** Stops at the first error, and then nothing of it stays. The text is its standard input. */
export const psqlLoadArgv = (database: string): Argv => [
  "psql",
  "-X",
  "-q",
  "--no-password",
  "--set=ON_ERROR_STOP=1",
  "--single-transaction",
  "--output=/dev/null",
  "--dbname",
  conninfo(database),
  "--file=-",
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

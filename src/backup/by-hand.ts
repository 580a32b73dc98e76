import type { Compression, Content, DatabaseMember } from "./manifest.ts";

const DECODERS: Readonly<Record<Compression, string>> = { bzip2: "bunzip2 -c", zstd: "zstd -dc" };
const LOADERS: Readonly<Record<Content, string>> = {
  archive: "pg_restore -d NEW",
  sql: "psql -X -q -v ON_ERROR_STOP=1 --single-transaction -o /dev/null -d NEW",
};

/**
 * How a dump is restored with nothing but PostgreSQL's own tools and those that unpack it, in the folder that it is
 * in. NEW is the database, KEY the file with an age identity.
 */
export function byHandLine({ file, content, compression, encryption }: DatabaseMember): string {
  const decoder = DECODERS[compression];
  const plain = encryption === undefined ? `${decoder} ${file}` : `age -d -i KEY ${file} | ${decoder}`;
  return `createdb NEW && ${plain} | ${LOADERS[content]}`;
}

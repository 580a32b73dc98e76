import { type Compressor, compressArgv, encryptArgv } from "./dump-line.ts";
import type { Compression, Content, Member } from "./manifest.ts";
import type { Stage } from "./measured-pipeline.ts";

/** What form dumps get before they leave the machine. */
export interface DumpForm {
  readonly content: Content;
  readonly compression: Compression;
  /** Undefined: the compressor's own. */
  readonly level?: number | undefined;
  /** `age1…`, each of which can open it alone; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  /** Whether the dump of the roles holds the hashes of their passwords. */
  readonly rolePasswords: boolean;
}

/** Of a project that sets nothing. */
export const DEFAULT_FORM: DumpForm = {
  content: "archive",
  compression: "bzip2",
  recipients: [],
  rolePasswords: false,
};

const CONTENT_EXTENSIONS: Readonly<Record<Content, string>> = { archive: "dump", sql: "sql" };
const COMPRESSION_EXTENSIONS: Readonly<Record<Compression, string>> = { bzip2: "bz2", zstd: "zst" };

/** `dump.bz2`, `sql.zst.age` */
export const extensionOf = (content: Content, { compression, recipients }: DumpForm): string =>
  [CONTENT_EXTENSIONS[content], COMPRESSION_EXTENSIONS[compression], ...(recipients.length > 0 ? ["age"] : [])].join(
    ".",
  );

/** What follows the dump in its pipeline. */
export const packStages = (compressor: Compressor, { level, recipients }: DumpForm): [Stage, ...Stage[]] => [
  { name: compressor, argv: compressArgv(compressor, level) },
  ...(recipients.length > 0 ? [{ name: "age", argv: encryptArgv(recipients) }] : []),
];

/** What the manifest says of it. */
export const packingOf = ({ compression, recipients }: DumpForm): Pick<Member, "compression" | "encryption"> => ({
  compression,
  ...(recipients.length > 0 ? { encryption: { kind: "age", recipients: [...recipients] } } : {}),
});

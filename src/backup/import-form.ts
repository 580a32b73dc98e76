import { SummitError } from "../core/errors.ts";

/** How a file that is to be imported is packed, by its first bytes; names tell nothing. */
export type Packing = "plain" | "gzip" | "bzip2" | "zstd";

/** A custom-format archive, or SQL text. */
export type DumpContent = "archive" | "sql";

const magic = (text: string) => Buffer.from(text, "latin1");

const PACKINGS: readonly (readonly [Packing, Buffer])[] = [
  ["gzip", magic("\x1f\x8b")],
  ["bzip2", magic("BZh")],
  ["zstd", magic("\x28\xb5\x2f\xfd")],
];

const REFUSED: readonly (readonly [what: string, Buffer, hint: string])[] = [
  ["xz", magic("\xfd7zXZ"), "xz -dc FILE > DUMP    # and import that"],
  ["a zip archive", magic("PK\x03\x04"), "unzip FILE    # and import the dump in it"],
  ["encrypted with age", magic("age-encryption.org/"), "age --decrypt --identity KEY FILE > DUMP    # and import that"],
  ["encrypted with age", magic("-----BEGIN AGE"), "age --decrypt --identity KEY FILE > DUMP    # and import that"],
];

/** Throws kind `check` for what is packed in a way that is not unpacked here, and says how to. */
export function packingOf(head: Buffer): Packing {
  const refused = REFUSED.find(([, start]) => starts(head, start));
  if (refused !== undefined) {
    const [what, , hint] = refused;
    throw new SummitError("check", `the file is ${what}, expected a dump, plain or packed by bzip2, gzip or zstd`, {
      hint,
    });
  }
  return PACKINGS.find(([, start]) => starts(head, start))?.[0] ?? "plain";
}

const starts = (head: Buffer, start: Buffer): boolean => head.subarray(0, start.length).equals(start);

const HEADER = /^-- PostgreSQL database dump\r?$/m;
const CLUSTER_HEADER = /^-- PostgreSQL database cluster dump\r?$/m;

/** By the beginning of what is unpacked, 64 kB or all of it. Throws kind `check` for what is no dump of one database. */
export function contentOf(head: Buffer): DumpContent {
  if (head.length === 0) {
    throw new SummitError("check", "the file holds no dump at all: nothing was written into it", {
      hint: "a pg_dump that fails leaves such a file when its output is piped into a compressor; take another one",
    });
  }
  if (starts(head, magic("PGDMP"))) return "archive";
  const text = head.toString("latin1");
  if (CLUSTER_HEADER.test(text)) {
    throw new SummitError("check", "the file is a dump of a whole server by pg_dumpall, expected one database", {
      hint: "psql -f FILE postgres    # on a server of its own, then: pg_dump -Fc DATABASE",
    });
  }
  if (HEADER.test(text)) return "sql";
  const isTar = head.subarray(257, 262).equals(magic("ustar"));
  throw new SummitError(
    "check",
    `the file is ${isTar ? "a tar archive" : "no dump"}, expected the SQL text or the custom format of pg_dump`,
    { hint: isTar ? "import what pg_dump -Fc or pg_dump writes" : "pg_dump -Fc DATABASE > FILE    # and import that" },
  );
}

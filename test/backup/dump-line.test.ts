import { expect, test } from "vitest";
import {
  compressArgv,
  decompressArgv,
  memberFile,
  pgDumpArgv,
  pgRestoreArgv,
  rolesArgv,
  SQL_TRAILER,
} from "../../src/backup/dump-line.ts";
import { identifier, literal, psqlArgv } from "../../src/backup/sql-session.ts";
import { toShell } from "../../src/core/argv.ts";

test("the lines that run on the machine", () => {
  expect(toShell(pgDumpArgv("summit", "00000003-0000001B-1", 60))).toBe(
    "pg_dump --format=custom --compress=0 --no-password --snapshot=00000003-0000001B-1 --lock-wait-timeout=60s --dbname 'dbname='\\''summit'\\'''",
  );
  expect(toShell(rolesArgv())).toBe("pg_dumpall --roles-only --no-role-passwords --no-password");
  expect(toShell(pgRestoreArgv("a b"))).toBe(
    "pg_restore --exit-on-error --no-password --dbname 'dbname='\\''a b'\\'''",
  );
  expect(toShell(psqlArgv("summit"))).toBe("psql -X -q -At -v ON_ERROR_STOP=1 -d 'dbname='\\''summit'\\'''");
  expect([toShell(compressArgv("lbzip2")), toShell(decompressArgv("bzip2"))]).toEqual(["lbzip2 -c", "bzip2 -dc"]);
});

test("a quote or backslash in a name does not end it", () => {
  expect(pgRestoreArgv("it's \\ odd").at(-1)).toBe("dbname='it\\'s \\\\ odd'");
});

test.each(["", "-x", "a/b", "a\nb", "a\0b", "dbname=x host=y", "postgres://h/x", "x".repeat(300), "ä".repeat(32)])(
  "the database name %j is refused",
  (name) => {
    expect(() => pgDumpArgv(name, "s", 60)).toThrow(expect.objectContaining({ kind: "usage" }));
  },
);

test.each([
  ["summit", "summit"],
  ["My-DB_1.x", "My-DB_1.x"],
  ["$(id)", "=24=28id=29"],
  ["a/b", "a=2Fb"],
  [".hidden", "=2Ehidden"],
  ["-x", "=2Dx"],
  ["ü", "=C3=BC"],
])("the file of database %j begins with %s", (name, safe) => {
  expect(memberFile(name, "20261122T143800Z", "dump.bz2")).toBe(`${safe}-20261122T143800Z.dump.bz2`);
});

test("names that are as long as PostgreSQL lets them be have files of their own", () => {
  const [one, two] = ["a", "b"].map((end) => memberFile(`${"ü".repeat(31)}${end}`, "20261122T143800Z", "dump.bz2"));
  expect(one).not.toBe(two);
  expect(one?.length).toBeLessThanOrEqual(255);
});

test("the end of SQL text is known from its cluster's and its database's form, not from the last line", () => {
  for (const text of [
    "--\n-- PostgreSQL database cluster dump complete\n--\n\n",
    "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n",
  ]) {
    expect(SQL_TRAILER.test(text)).toBe(true);
  }
  expect(SQL_TRAILER.test("SELECT '-- PostgreSQL database dump complete';\n")).toBe(false);
});

test("literals and identifiers", () => {
  expect(literal("it's")).toBe("'it''s'");
  expect(literal("a\\'b")).toBe(" E'a\\\\''b'");
  expect(identifier('Weird "Name"')).toBe('"Weird ""Name"""');
});

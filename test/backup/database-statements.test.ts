import { expect, test } from "vitest";
import { compareCounts, type DatabaseFacts } from "../../src/backup/database-facts.ts";
import { applyFacts, createDatabase } from "../../src/backup/database-statements.ts";

const FACTS: DatabaseFacts = {
  owner: 'The "Owner"',
  encoding: "UTF8",
  collate: "C.UTF-8",
  ctype: "de_AT.UTF-8",
  localeProvider: "c",
  icuLocale: null,
  connectionLimit: -1,
  comment: null,
  grants: null,
  settings: [],
  extensions: [],
  sizeBytes: 1,
};

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");

test.each([
  ["c", null, 150_020, " LOCALE_PROVIDER libc"],
  ["c", null, 140_010, ""],
  ["i", "de-AT", 150_020, " LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'"],
  ["b", "C.UTF-8", 170_000, " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"],
])("a database with locale provider %s %s on server %i", (localeProvider, icuLocale, versionNumber, words) => {
  expect(oneLine(createDatabase('x"; DROP', { ...FACTS, localeProvider, icuLocale }, { versionNumber }))).toBe(
    `CREATE DATABASE "x""; DROP" TEMPLATE template0 OWNER "The ""Owner""" ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'de_AT.UTF-8'${words} CONNECTION LIMIT -1`,
  );
});

test("a comment is taken away again when there was none", () => {
  expect(applyFacts("x", FACTS)).toEqual(['COMMENT ON DATABASE "x" IS NULL']);
});

test("settings of the database and of roles in it; lists as the server stores them", () => {
  const settings = [
    { role: null, name: "TimeZone", value: "Europe/Vienna" },
    { role: "app", name: "my.x", value: "it's \\ odd" },
    { role: null, name: "search_path", value: 'app, "Other Schema"' },
  ];
  expect(applyFacts("x", { ...FACTS, settings }).slice(1)).toEqual([
    `ALTER DATABASE "x" SET "TimeZone" TO 'Europe/Vienna'`,
    `ALTER ROLE "app" IN DATABASE "x" SET "my.x" TO  E'it''s \\\\ odd'`,
    `SELECT set_config('search_path', 'app, "Other Schema"', false); ALTER DATABASE "x" SET "search_path" FROM CURRENT; RESET "search_path"`,
  ]);
});

test("grants replace the default ones; what is no word is quoted", () => {
  const grants = [
    { grantee: null, privilege: "CONNECT", grantable: false },
    { grantee: 'a"b', privilege: "CREATE", grantable: true },
    { grantee: "c", privilege: "ALL; DROP", grantable: false },
  ];
  expect(applyFacts("x", { ...FACTS, grants }).slice(1)).toEqual([
    `REVOKE ALL ON DATABASE "x" FROM PUBLIC, "The ""Owner"""`,
    `GRANT CONNECT ON DATABASE "x" TO PUBLIC`,
    `GRANT CREATE ON DATABASE "x" TO "a""b" WITH GRANT OPTION`,
    `GRANT "ALL; DROP" ON DATABASE "x" TO "c"`,
  ]);
  expect(applyFacts("x", { ...FACTS, grants: [] })).toHaveLength(2);
});

test("counts are compared both ways, also of tables whose names join alike", () => {
  expect(compareCounts([["a", "b", 1]], [["a", "b", 1]])).toEqual([]);
  expect(
    compareCounts(
      [
        ["a", "b", 1],
        ["a.b", "c", 2],
      ],
      [
        ["a", "b", 2],
        ["a", "b.c", 2],
      ],
    ),
  ).toEqual([
    "table a.b has 2 rows, expected 1",
    "table a.b.c is missing, expected 2 rows",
    "table a.b.c was not in the backup",
  ]);
});

import { describe, expect, test } from "vitest";
import { checkDatabaseName, checkLabel, isBackupId, parseUnit, show } from "../../src/core/names.ts";

const LONG = "x".repeat(300);

describe("names from outside", () => {
  test.each(["production", "a", "web-2", "x".repeat(40)])("%j is a label", (name) => {
    expect(checkLabel("service", name)).toBeUndefined();
  });

  test.each(["", "-x", "x-", "a/b", "$(id)", "a\nb", "A", "a b", "1a", "é", "a_b", "list", "latest", LONG])(
    "%j is no label",
    (name) => {
      const problem = checkLabel("service", name);
      expect(problem).toBeTypeOf("string");
      expect(problem).not.toContain("\n");
      expect(problem?.length).toBeLessThan(250);
    },
  );

  test.each(["summit", "My Database", "größe", "a-b", 'quote"d', "semi;colon", "$(id)", "x".repeat(63)])(
    "%j is a database name",
    (name) => {
      expect(checkDatabaseName(name)).toBeUndefined();
    },
  );

  test.each(["", "-x", "a/b", "a\nb", "a\0b", "dbname=x host=y", "postgres://x", "PostgreSQL:x", "é".repeat(32), LONG])(
    "%j is no database name",
    (name) => {
      expect(checkDatabaseName(name)).toBeTypeOf("string");
    },
  );

  test("units are read back as they are written", () => {
    expect(parseUnit("postgresql/0")).toEqual({ service: "postgresql", index: 0 });
    for (const text of ["postgresql", "postgresql/", "/0", "a/b", "a/-1", "a/0/0", "a/1000", "-x/0", "a/0\n", LONG]) {
      expect(() => parseUnit(text), text).toThrow(expect.objectContaining({ kind: "usage" }));
    }
  });

  test("backup ids", () => {
    expect(isBackupId("20261122T143800Z-k3x9qa")).toBe(true);
    for (const text of ["20261122T143800Z", "../x", "20261122T143800Z-k3x9qa\n", "20261122T143800Z-K3X9QA"]) {
      expect(isBackupId(text), text).toBe(false);
    }
  });

  test("a shown name is one short line", () => {
    expect(show("a\nb\u001b[2J")).toBe('"a\\nb\\u001b[2J"');
    expect(show(LONG).length).toBeLessThan(110);
  });
});

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { exportLines, quote, toShell } from "../../src/core/argv.ts";

const HOSTILE = [
  "",
  " ",
  "a b",
  "it's",
  '"$HOME"',
  "$(id)",
  "`id`",
  "new\nline",
  "*",
  "~",
  "-x",
  "\\",
  "é☃",
  "a;b&c|d<e>f",
];

describe("quoting", () => {
  test("plain words stay readable", () => {
    expect(toShell(["pg_ctl", "promote", "--pgdata", "/srv/pg data", "--wait"])).toBe(
      "pg_ctl promote --pgdata '/srv/pg data' --wait",
    );
  });

  test.each(["sh", "dash", "bash"])("%s reads every word as it was", (shell) => {
    const line = toShell(["printf", "%s\\0", ...HOSTILE]);
    expect(execFileSync(shell, ["-c", line], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(HOSTILE);
  });

  test("a first word with an equals sign is a program", () => {
    expect(toShell(["A=b", "A=b"])).toBe("'A=b' A=b");
  });

  test("NUL is refused", () => {
    expect(() => quote("a\0b")).toThrow("NUL");
  });

  test("export lines give every value back", () => {
    const values = Object.fromEntries(HOSTILE.map((value, index) => [`V${index}`, value]));
    const script = `${exportLines(values)}for n in ${Object.keys(values).join(" ")}; do eval "printf '%s\\\\0' \\"\\$$n\\""; done`;
    expect(execFileSync("sh", ["-s"], { input: script, encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(HOSTILE);
  });

  test.each(["A-B", "1A", "A B", "A=B", "", "A\nB"])("%j is no variable", (name) => {
    expect(() => exportLines({ [name]: "x" })).toThrow("not a variable name");
  });
});

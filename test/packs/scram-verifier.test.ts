import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./run-library.ts";

const program = join(import.meta.dirname, "../../packs/postgresql/scram-verifier");

/** Of the password "pencil", from the example of RFC 7677: salt, rounds and the server's signature key fit. */
const PENCIL =
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

async function verifier(password: string, stored = ""): Promise<{ stdout: string; code: number; stderr: string }> {
  const file = join(temporaryFolder(), "password");
  writeFileSync(file, password);
  const { stdout, exitCode, stderr } = await execa("perl", [program, file], { input: stored, reject: false });
  return { stdout, code: exitCode ?? -1, stderr };
}

describe("scram-verifier", () => {
  it("computes what PostgreSQL stores, with the salt of what is stored", async () => {
    expect((await verifier("pencil", PENCIL)).stdout).toBe(PENCIL);
    expect((await verifier("pencil\n", PENCIL)).stdout).toBe(PENCIL);
  });

  it("differs for another password", async () => {
    expect((await verifier("pencils", PENCIL)).stdout).not.toBe(PENCIL);
  });

  it("draws a new salt when nothing is stored", async () => {
    const first = (await verifier("pencil")).stdout;
    expect(first).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/);
    expect((await verifier("pencil")).stdout).not.toBe(first);
    expect((await verifier("pencil", first)).stdout).toBe(first);
  });

  it.each(["", "\n", "zwölf", "two\nlines"])("refuses %j without repeating it", async (password) => {
    const { code, stdout, stderr } = await verifier(password);
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toContain("expected a password of printable ASCII characters");
  });
});

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type IdentityDeps, readIdentities } from "../../src/config/age-identity.ts";
import type { SecretSource } from "../../src/config/types.ts";
import { generateIdentity } from "../../src/core/age-keys.ts";
import { type Age, realAge } from "../support/age.ts";

let folder: string;
let deps: IdentityDeps;
let warnings: string[];
let age: Age;
beforeEach(async () => {
  age = await realAge();
  folder = await mkdtemp(join(tmpdir(), "summit-identity-"));
  warnings = [];
  deps = { env: { ...process.env }, folder, hasTerminal: false, warn: (line) => void warnings.push(line) };
});
afterEach(async () => {
  await age[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const read = (identity: SecretSource | undefined, more: Partial<IdentityDeps> = {}) =>
  readIdentities({ encrypt: { recipients: [], identity } }, { ...deps, ...more });

test("a file of age-keygen, a variable and a command give what they hold", async () => {
  const { text, recipient } = await age.keygen();
  await writeFile(join(folder, "key"), text, { mode: 0o600 });
  const found = [
    await read({ file: "key" }),
    await read({ env: "KEY" }, { env: { KEY: text } }),
    await read({ command: "cat key" }),
  ];
  expect(found.map(([first]) => first.recipient)).toEqual([recipient, recipient, recipient]);
  expect(warnings).toEqual([]);
  await chmod(join(folder, "key"), 0o644);
  await read({ file: "key" });
  expect(warnings[0]).toContain("which others can read");
});

test("none at all, and what is none, are errors of the config that tell nothing of it", async () => {
  await expect(read(undefined)).rejects.toMatchObject({ kind: "config", hint: expect.stringContaining("identity:") });
  await expect(readIdentities({ encrypt: undefined }, deps)).rejects.toMatchObject({ kind: "config" });
  const error = await read({ command: "echo hunter2" }).catch((thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ kind: "config", message: expect.stringContaining("no age identity") });
  expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain("hunter2");
});

// What a passphrase protects is a file of age, whatever opens it.
const PROTECTED = ["--armor", "-r", generateIdentity().identity.recipient];

test.each([PROTECTED, PROTECTED.slice(1)])(
  "a protected file is refused where nobody can be asked: %s",
  async (...flags) => {
    await writeFile(join(folder, "key.age"), await age.encrypt(Buffer.from("x"), flags), { mode: 0o600 });
    await expect(read({ file: join(folder, "key.age") })).rejects.toMatchObject({
      kind: "config",
      // Not armored it is no text, which is said first.
      message: expect.stringMatching(/protected by a passphrase, and there is no terminal|is not UTF-8 text/),
    });
  },
);

test("with a terminal the program age opens a protected file, and asks for as long as it takes to type", async () => {
  const { text, recipient } = await age.keygen();
  const file = join(folder, "it's key.age");
  await writeFile(file, await age.encrypt(Buffer.from(text), PROTECTED), { mode: 0o600 });
  const commands: unknown[] = [];
  const [found] = await read(
    { file },
    {
      hasTerminal: true,
      run: async (command, { limit }) => {
        commands.push([command, limit]);
        return { stdout: Buffer.from(text), stderr: "", ending: undefined };
      },
    },
  );
  expect(found.recipient).toBe(recipient);
  expect(commands).toEqual([[`age --decrypt '${file.replace("'", `'\\''`)}'`, 120_000]]);
});

test("what a command prints is not asked for again", async () => {
  await writeFile(join(folder, "key.age"), await age.encrypt(Buffer.from("x"), PROTECTED), { mode: 0o600 });
  await expect(read({ command: "cat key.age" }, { hasTerminal: true })).rejects.toMatchObject({
    kind: "config",
    hint: expect.stringContaining("age --decrypt"),
  });
});

import { expect, test } from "vitest";
import { generateIdentity } from "../../src/core/age-keys.ts";
import { encryptionChecks } from "../../src/environment/doctor-encryption.ts";
import { configOf, HEAD } from "../config/config-fixture.ts";

const [mine, other] = [generateIdentity(), generateIdentity()];
const env = { KEY: mine.text.reveal() };

const look = async (backup: string) => {
  const checks = await encryptionChecks(configOf(`${HEAD}backup: ${backup}\n`), {
    env,
    signal: new AbortController().signal,
  });
  expect(JSON.stringify(checks)).not.toContain("AGE-SECRET-KEY");
  return checks.map(({ ok, message }) => `${ok}: ${message}`);
};
const [A, B] = [mine, other].map(({ identity }) => identity.recipient);

test.each([
  ["{}", []],
  ["{ role_passwords: true }", [/^warning: backups hold the hashes of passwords and are not encrypted/]],
  [`{ encrypt: { recipients: [${A}, ${B}], identity: { env: KEY } } }`, [/^true: to 2 recipients, the identity can/]],
  [`{ encrypt: { recipients: [${A}], identity: { env: KEY } } }`, [/^true/, /^warning: there is one recipient/]],
  [`{ encrypt: { recipients: [${A}, ${B}] } }`, [/^warning: to 2 recipients; no identity here/]],
  [`{ encrypt: { recipients: [${B}], identity: { env: KEY } } }`, [/^false: the identity is of none/, /^warning/]],
  [`{ encrypt: { recipients: [${A}, ${B}], identity: { env: NO } } }`, [/^false: .*variable NO, which is not set/]],
  ["{ encrypt: { recipients: [], identity: { env: KEY } } }", [/^true: to 0 recipients/]],
])("backup: %s", async (backup, expected) => {
  const found = await look(backup);
  expect(found).toHaveLength(expected.length);
  for (const [at, words] of expected.entries()) expect(found[at]).toMatch(words);
});

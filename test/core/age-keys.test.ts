import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateIdentity, parseIdentities, recipientKey } from "../../src/core/age-keys.ts";
import { decodeBech32, encodeBech32 } from "../../src/core/bech32.ts";
import { Secret } from "../../src/core/secret.ts";
import { type Age, realAge } from "../support/age.ts";

describe("keys of age", () => {
  let age: Age;
  beforeAll(async () => {
    age = await realAge();
  });
  afterAll(() => age?.[Symbol.asyncDispose]());

  test("identities of age-keygen have the recipients that it says, several in one file too", async () => {
    const pairs = [await age.keygen(), await age.keygen()];
    const text = new Secret(pairs.map((pair) => pair.text).join("\r\n"));
    const identities = parseIdentities(text, "it");
    expect(identities.map(({ recipient }) => recipient)).toEqual(pairs.map(({ recipient }) => recipient));
    for (const { recipient, publicKey } of identities) expect(recipientKey(recipient)).toEqual(publicKey);
  });

  test("what is generated is taken by the real one", async () => {
    const { identity, text } = generateIdentity();
    const stored = await age.encrypt(Buffer.from("words"), ["-r", identity.recipient]);
    expect((await age.decrypt(stored, text.reveal())).toString()).toBe("words");
    expect(`${text} ${JSON.stringify({ text })}`).not.toContain("AGE-SECRET-KEY");
  });

  const GOOD = generateIdentity().identity.recipient;
  test.each([
    ["a character that was mistyped", `${GOOD.slice(0, 20)}${GOOD[20] === "q" ? "p" : "q"}${GOOD.slice(21)}`],
    ["upper case", GOOD.toUpperCase()],
    ["a plugin's", encodeBech32({ prefix: "age1yubikey", bytes: Buffer.alloc(33) })],
    ["another length", encodeBech32({ prefix: "age", bytes: Buffer.alloc(31) })],
    ["an ssh key", "ssh-ed25519 AAAA"],
    ["nothing", ""],
  ])("is no recipient: %s", (_what, text) => expect(recipientKey(text)).toBeUndefined());

  test.each([
    ["a plugin's", "AGE-PLUGIN-YUBIKEY-1QQQ", "an identity of an age plugin"],
    ["a post-quantum one", "AGE-SECRET-KEY-PQ-1QQQ", "a post-quantum identity"],
    ["a cut one", generateIdentity().text.reveal().slice(0, -1), "mistyped or cut"],
    ["a recipient", GOOD, "a recipient"],
    ["an ssh key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "a key of another program"],
    ["a password", "hunter2", "something that is no age identity"],
    ["comments alone", "# created: today", "no age identity"],
  ])("is no identity, and is not repeated: %s", (_what, text, words) => {
    let message = "";
    try {
      parseIdentities(new Secret(text), "the secret it");
    } catch (error) {
      message = `${(error as Error).message} ${JSON.stringify(error)}`;
    }
    expect(message).toContain(words);
    expect(message).toContain('"kind":"config"');
    for (const line of text.split("\n")) expect(message).not.toContain(line);
  });
});

// https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
test.each([
  "A12UEL5L",
  "a12uel5l",
  "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
])("the text %s is right by BIP 173", (text) => expect(decodeBech32(text)).toMatchObject({ bytes: Buffer.alloc(0) }));
test.each(["A1G7SGD8", "10a06t8", "1qzzfhee", "a12UEL5L", "x1b4n0q5v", "li1dgmt3", "pzry9x0s0muk"])(
  "the text %s is wrong by BIP 173",
  (text) => expect(decodeBech32(text)).toBeUndefined(),
);

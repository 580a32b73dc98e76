import { expect, test } from "vitest";
import { generateKeyPair } from "../../../src/providers/shell/key-pair.ts";

/** The chance that none of so many begins with a zero is below 1 in 2500: with the broken ones let through this fails. */
test("2000 pairs: every public key has its 32 bytes and the private one holds it", () => {
  for (let count = 0; count < 2000; count += 1) {
    const { privateKey, publicKey } = generateKeyPair();
    const blob = Buffer.from(publicKey.replace("ssh-ed25519 ", ""), "base64");
    expect([publicKey, blob.length]).toEqual([expect.stringMatching(/^ssh-ed25519 AAAAC3/), 51]);
    expect(Buffer.from(privateKey.replace(/-----.*-----/g, ""), "base64").includes(blob.subarray(19))).toBe(true);
  }
});

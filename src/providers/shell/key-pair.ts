import { SummitError } from "../../core/errors.ts";
import type { SshKeyPair } from "../../core/ports/shell.ts";
import { ssh2 } from "./ssh2-module.ts";

/**
 * A fresh ed25519 pair. Of ssh2's pairs one in 256 is broken: it drops the zero that such a public key begins with, and
 * no sshd takes what is left. What it cannot read back itself is thrown away.
 */
export function generateKeyPair(): SshKeyPair {
  for (let tries = 1; tries <= 32; tries += 1) {
    const { private: privateKey, public: line } = ssh2().utils.generateKeyPairSync("ed25519");
    if (ssh2().utils.parseKey(privateKey) instanceof Error) continue;
    const [type = "", base64 = ""] = line.split(" ");
    return { privateKey, publicKey: `${type} ${base64}` };
  }
  throw new SummitError("unexpected", "no SSH key pair could be made");
}

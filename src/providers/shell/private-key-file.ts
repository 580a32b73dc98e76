import { readFile } from "node:fs/promises";
import type { ParsedKey } from "ssh2";
import { quote } from "../../core/argv.ts";
import { messageOf, SummitError } from "../../core/errors.ts";
import { ssh2 } from "./ssh2-module.ts";

/** A private key file: usable, or protected by a passphrase (then its public part is known if the format tells it). */
export type PrivateKeyFile =
  | { readonly kind: "usable"; readonly file: string; readonly key: ParsedKey }
  | { readonly kind: "protected"; readonly file: string; readonly publicBlob: Buffer | undefined };

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = "openssh-key-v1\0";

/** Throws kind `config` for a file that is absent, unreadable or no private key. */
export async function readPrivateKeyFile(file: string): Promise<PrivateKeyFile> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new SummitError("config", `the ssh key file ${file} cannot be read`, {
      hint: `ls -l ${quote(file)}`,
      details: [messageOf(cause)],
      cause,
    });
  });
  const locked = protectedKey(text);
  if (locked !== undefined) return { kind: "protected", file, publicBlob: locked.publicBlob };
  const parsed = ssh2().utils.parseKey(text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error) {
    throw new SummitError("config", `expected an OpenSSH private key in ${file}, got something else`, {
      hint: `ssh-keygen -y -f ${quote(file)}`,
      details: key === undefined ? [] : [key.message],
    });
  }
  if (!key.isPrivateKey()) {
    throw new SummitError("config", `expected a private key in ${file}, got a public key`, {
      hint: `name ${quote(file.replace(/\.pub$/, ""))} instead`,
    });
  }
  return { kind: "usable", file, key };
}

function protectedKey(text: string): { publicBlob: Buffer | undefined } | undefined {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) return { publicBlob: undefined };
  const body = Buffer.from(OPENSSH.exec(text)?.[1] ?? "", "base64");
  if (body.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  const [cipher, afterCipher] = field(body, MAGIC.length);
  if (cipher.toString("latin1") === "none") return undefined;
  const [, afterKdf] = field(body, afterCipher);
  const [, afterOptions] = field(body, afterKdf);
  const [publicBlob] = field(body, afterOptions + 4);
  return { publicBlob: publicBlob.length > 0 ? publicBlob : undefined };
}

/** A length-prefixed field and the offset behind it; empty when the file is cut short. */
function field(body: Buffer, offset: number): [Buffer, number] {
  if (offset + 4 > body.length) return [Buffer.alloc(0), body.length];
  const end = offset + 4 + body.readUInt32BE(offset);
  return [body.subarray(offset + 4, end), end];
}

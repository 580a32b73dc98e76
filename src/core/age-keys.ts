import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from "node:crypto";
import { decodeBech32, encodeBech32 } from "./bech32.ts";
import { SummitError } from "./errors.ts";
import { Secret } from "./secret.ts";

/** A key pair of age that opens files: https://age-encryption.org/v1, of type X25519. */
export interface AgeIdentity {
  /** `age1…` */
  readonly recipient: string;
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** The secret that is shared with the owner of a public key of 32 bytes. Throws when that is no key. */
  shared(publicKey: Buffer): Buffer;
}

/** The 32 bytes of `age1…`; undefined for anything else, recipients of plugins and of post-quantum keys too. */
export function recipientKey(text: string): Buffer | undefined {
  const decoded = text === text.toLowerCase() ? decodeBech32(text) : undefined;
  return decoded?.prefix === "age" && decoded.bytes.length === 32 ? decoded.bytes : undefined;
}

/**
 * The identities in the text of a key file as age-keygen writes it, where lines that begin with # say nothing. Throws
 * kind `config` without showing any of it; `where` is what messages call it.
 */
export function parseIdentities(text: Secret, where: string): readonly [AgeIdentity, ...AgeIdentity[]] {
  const lines = text
    .reveal()
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [first, ...more] = lines.map((line) => parseIdentity(line, where));
  if (first !== undefined) return [first, ...more];
  throw new SummitError("config", `${where} holds no age identity`, { hint: KEYGEN_HINT });
}

const KEYGEN_HINT = "age-keygen -o key.txt    # the line that begins with AGE-SECRET-KEY-1 is the identity";

function parseIdentity(line: string, where: string): AgeIdentity {
  const decoded = line.startsWith("AGE-SECRET-KEY-1") ? decodeBech32(line) : undefined;
  if (decoded?.prefix === "age-secret-key-" && decoded.bytes.length === 32) return identityOf(decoded.bytes);
  throw new SummitError("config", `${where} holds ${wrongKind(line)}`, {
    details: ["expected an identity of type X25519, a line AGE-SECRET-KEY-1…"],
    hint: KEYGEN_HINT,
  });
}

/** Never what it says: it may be a secret of some sort. */
function wrongKind(line: string): string {
  if (line.startsWith("AGE-PLUGIN-")) return "an identity of an age plugin, which cannot be used here";
  if (line.startsWith("AGE-SECRET-KEY-PQ-")) return "a post-quantum identity, which the age of Debian 12 does not know";
  if (line.startsWith("AGE-SECRET-KEY-1")) return "an age identity that was mistyped or cut";
  if (line.startsWith("age1")) return "a recipient, which is the public half of an identity";
  if (line.startsWith("-----BEGIN")) return "a key of another program, such as ssh";
  return "something that is no age identity";
}

/** A new identity, and the text that the program age takes for it. */
export function generateIdentity(): { readonly identity: AgeIdentity; readonly text: Secret } {
  const scalar = randomBytes(32);
  const text = encodeBech32({ prefix: "age-secret-key-", bytes: scalar }).toUpperCase();
  return { identity: identityOf(scalar), text: new Secret(text) };
}

function identityOf(scalar: Buffer): AgeIdentity {
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, scalar]), format: "der", type: "pkcs8" });
  const publicKey = rawKey(createPublicKey(privateKey));
  return {
    recipient: encodeBech32({ prefix: "age", bytes: publicKey }),
    publicKey,
    shared: (other) => diffieHellman({ privateKey, publicKey: publicKeyOf(other) }),
  };
}

/** What precedes 32 bytes of X25519 in the two forms that node:crypto reads. */
const PRIVATE_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_HEAD = Buffer.from("302a300506032b656e032100", "hex");

const publicKeyOf = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, raw]), format: "der", type: "spki" });

const rawKey = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" }).subarray(PUBLIC_HEAD.length);

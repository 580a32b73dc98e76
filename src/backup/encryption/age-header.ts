import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { type AgeIdentity, generateIdentity } from "../../core/age-keys.ts";
import type { Secret } from "../../core/secret.ts";

/**
 * The head of a file of age (https://age-encryption.org/v1): who can open it, and the sum that only those can make
 * who know the file's key. What follows does not depend on it, so a head can be replaced by another for the same key.
 */
export interface AgeHeader {
  readonly stanzas: readonly Stanza[];
  /** All of it, to the newline behind the sum. */
  readonly bytes: Buffer;
}

interface Stanza {
  readonly args: readonly string[];
  readonly body: Buffer;
}

/** More than the head of any file that was made here can have. */
export const HEADER_LIMIT = 64 * 1024;

const VERSION = "age-encryption.org/v1";
const SUM_LINE = /^--- ([A-Za-z0-9+/]{43})$/;
const STANZA_LINE = /^->((?: [\x21-\x7e]+)+)$/;

/** Reads the head at the beginning of a file; undefined when there is none, or it is cut. */
export function readHeader(start: Buffer): AgeHeader | undefined {
  const lines = start.subarray(0, HEADER_LIMIT).toString("latin1").split("\n");
  // What is behind the last newline is a part of a line.
  lines.pop();
  if (lines.shift() !== VERSION) return undefined;
  const stanzas: Stanza[] = [];
  let length = VERSION.length + 1;
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    length += line.length + 1;
    if (SUM_LINE.test(line)) return stanzas.length > 0 ? { stanzas, bytes: start.subarray(0, length) } : undefined;
    const args = STANZA_LINE.exec(line)?.[1]?.trim().split(" ");
    const body = args === undefined ? undefined : readBody(lines);
    if (args === undefined || body === undefined) return undefined;
    length += body.text;
    stanzas.push({ args, body: body.bytes });
  }
  return undefined;
}

/** Lines of 64 characters of base64 and a shorter one, taken from the front. `text` counts them with their newlines. */
function readBody(lines: string[]): { bytes: Buffer; text: number } | undefined {
  const pieces: Buffer[] = [];
  let text = 0;
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const piece = fromBase64(line);
    if (piece === undefined || line.length > 64) return undefined;
    pieces.push(piece);
    text += line.length + 1;
    if (line.length < 64) return { bytes: Buffer.concat(pieces), text };
  }
  return undefined;
}

/** The file's key, 16 bytes, if one of the identities is among those that it was made for; undefined when none is. */
export function unwrapFileKey({ stanzas }: AgeHeader, identities: readonly AgeIdentity[]): Buffer | undefined {
  for (const { args, body } of stanzas) {
    const share = args[0] === "X25519" && args.length === 2 ? fromBase64(args[1] as string) : undefined;
    if (share?.length !== 32 || body.length !== 32) continue;
    for (const identity of identities) {
      const key = tryUnwrap(identity, share, body);
      if (key !== undefined) return key;
    }
  }
  return undefined;
}

function tryUnwrap(identity: AgeIdentity, share: Buffer, body: Buffer): Buffer | undefined {
  try {
    const key = wrapKey(identity.shared(share), share, identity.publicKey);
    const decipher = createDecipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
    decipher.setAuthTag(body.subarray(16));
    return Buffer.concat([decipher.update(body.subarray(0, 16)), decipher.final()]);
  } catch {
    // Made for somebody else, or altered: which of the two cannot be told.
    return undefined;
  }
}

/** Whether nothing of the head was altered since it was made by somebody who knew the key. */
export function headerIsSound({ bytes }: AgeHeader, fileKey: Buffer): boolean {
  const end = bytes.lastIndexOf("---");
  const found = fromBase64(bytes.subarray(end + 4, -1).toString("latin1"));
  return found?.length === 32 && timingSafeEqual(found, sumOf(bytes.subarray(0, end + 3), fileKey));
}

/** A head for the same file key that only a new identity opens, which is given as the program age reads it. */
export function rewrapFileKey(fileKey: Buffer): { readonly header: Buffer; readonly identity: Secret } {
  const { identity, text } = generateIdentity();
  const { identity: sender } = generateIdentity();
  const key = wrapKey(sender.shared(identity.publicKey), sender.publicKey, identity.publicKey);
  const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  const head = Buffer.from(`${VERSION}\n-> X25519 ${toBase64(sender.publicKey)}\n${toBase64(body)}\n---`);
  return { header: Buffer.concat([head, Buffer.from(` ${toBase64(sumOf(head, fileKey))}\n`)]), identity: text };
}

const wrapKey = (secret: Buffer, share: Buffer, recipient: Buffer): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, Buffer.concat([share, recipient]), `${VERSION}/X25519`, 32));

const sumOf = (head: Buffer, fileKey: Buffer): Buffer =>
  createHmac("sha256", Buffer.from(hkdfSync("sha256", fileKey, "", "header", 32)))
    .update(head)
    .digest();

const toBase64 = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");

/** Only what an encoder writes: each value has one form. */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return toBase64(bytes) === text ? bytes : undefined;
}

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Argv } from "../core/argv.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import { ageDecryption } from "./encryption/age-payload.ts";
import { fileKeyBytes, keyOf } from "./encryption/open-files.ts";
import type { StoredBackup } from "./feed-member.ts";
import { lastText } from "./last-text.ts";
import type { Member } from "./manifest.ts";
import { readMember } from "./read-member.ts";

export interface Decoding {
  /** The program that decodes, on this computer. */
  readonly argv: Argv;
  readonly signal: AbortSignal;
  /** Stored bytes of this member that were read. */
  onBytes(bytes: number): void;
}

/**
 * Reads a file of a backup from its store, decodes it here and compares both with the manifest. Resolves with what is
 * wrong with it, undefined when nothing is. Throws what the store throws, and kind `unexpected` when the decoder was
 * killed or could not run: nothing is known of the file then. Nothing of it is kept.
 */
export async function decodeMember(
  { manifest, store, member, keys }: StoredBackup & { readonly member: Member },
  { argv, signal, onBytes }: Decoding,
): Promise<string | undefined> {
  const [program, ...args] = argv;
  const key = keyOf(keys, member);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => undefined);
  const messages = lastText(child.stderr, 4096);
  const plain = measure(child.stdout, member.plain.bytes, () => child.kill("SIGKILL"));
  const stored = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      stored.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const source = readMember(store, manifest, member, onBytes);
    let failure: unknown;
    source.once("error", (error: unknown) => {
      failure = error;
    });
    const decrypting = key === undefined ? [] : [ageDecryption(fileKeyBytes(key), key.header.length)];
    let undecryptable: unknown;
    for (const stage of decrypting) stage.once("error", (error: unknown) => (undecryptable = error));
    // A decoder that gives up early breaks the pipe; how it ended says more.
    await pipeline([source, hashing, ...decrypting, child.stdin], { signal }).catch(() => undefined);
    signal.throwIfAborted();
    if (failure !== undefined && isDamage(failure)) return failure.message;
    if (undecryptable !== undefined && isDamage(undecryptable)) return `${member.file}: ${undecryptable.message}`;
    if (failure !== undefined && !isBrokenPipe(failure)) throw failure;
    const [code, killer] = await closed;
    const found = await plain;
    if (found.tooMuch) return `${member.file} decodes to more than the ${member.plain.bytes} bytes that were dumped`;
    if (killer !== null)
      throw new SummitError("unexpected", `${program} was ended by ${killer}`, { hint: "run it again" });
    if (code !== 0) return `${member.file} cannot be decoded: ${messages().trim() || `${program} ended with ${code}`}`;
    if (stored.digest("hex") !== member.stored.sha256) return `the hash of all of ${member.file} is another one`;
    if (found.bytes === member.plain.bytes && found.sha256 === member.plain.sha256) return undefined;
    return `${member.file} decodes to ${found.bytes} bytes that are not the ${member.plain.bytes} that were dumped`;
  } finally {
    if (child.exitCode === null) child.kill("SIGKILL");
    await closed.catch(() => undefined);
  }
}

/** What the pipeline ends the source with when the decoder went away. */
const isBrokenPipe = (error: unknown): boolean =>
  error instanceof Error && "code" in error && ["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(String(error.code));

/** What is wrong with the backup is an answer; what is wrong with the store is none. */
const isDamage = (error: unknown): error is SummitError => isSummitError(error) && error.kind === "verification";

interface Plain {
  readonly bytes: number;
  readonly sha256: string;
  readonly tooMuch: boolean;
}

/** A few bytes can be made to decode to any number of them. */
async function measure(stream: AsyncIterable<Buffer>, most: number, stop: () => void): Promise<Plain> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes <= most) continue;
    stop();
    break;
  }
  return { bytes, sha256: hash.digest("hex"), tooMuch: bytes > most };
}

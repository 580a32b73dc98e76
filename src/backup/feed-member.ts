import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { DirectTransfer } from "../core/ports/direct-transfer.ts";
import type { RemoteProcess } from "../core/ports/shell.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import type { Secret } from "../core/secret.ts";
import { chooseTransfer } from "./direct/choose-transfer.ts";
import { fetchArgv } from "./direct/fetch-program.ts";
import { servePieces } from "./direct/serve-pieces.ts";
import { decompressArgv, decryptArgv } from "./dump-line.ts";
import { rewrapFileKey } from "./encryption/age-header.ts";
import { type FileKey, type FileKeys, fileKeyBytes, keyOf } from "./encryption/open-files.ts";
import { replaceHead } from "./encryption/replace-head.ts";
import { checkAge, findCompressor } from "./find-compressor.ts";
import { lastText } from "./last-text.ts";
import type { Manifest, Member } from "./manifest.ts";
import { failures, type Pipeline, pipelineScript, readReport, reportNonce, type Stage } from "./measured-pipeline.ts";
import { readMember } from "./read-member.ts";

export interface StoredBackup {
  readonly manifest: Manifest;
  readonly store: ObjectStore;
  /** Of its encrypted files. */
  readonly keys?: FileKeys | undefined;
}

export interface FeedOptions {
  readonly signal: AbortSignal;
  /** Bytes of the stored file so far. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Streams a file of the backup through its decompressor into a program on the machine. Returns the program's messages.
 * What is bigger than one part is fetched by the machine itself, where it reaches the store.
 *
 * What is encrypted is decrypted there too, by an identity that is made for this one stream and goes by standard input:
 * after the hash of the first piece was found right, the file's head is replaced by one for that identity.
 */
export async function feedMember(
  server: DatabaseServer,
  { store, manifest, member, keys }: StoredBackup & { readonly member: Member },
  program: Stage,
  options: FeedOptions,
): Promise<string> {
  const once = decryptedOnce(keyOf(keys, member));
  if (once !== undefined) await checkAge(server);
  const decompressor = await findCompressor(server, member.compression);
  const stages: Stage[] = [
    ...(once === undefined ? [] : [{ name: "age", argv: decryptArgv() }]),
    { name: decompressor, argv: decompressArgv(decompressor) },
    program,
  ];
  const direct = await directTransfer(server, store, member);
  const line: Pipeline = {
    stages,
    innerAfter: stages.length - 2,
    keyed: once !== undefined,
    nonce: reportNonce(),
    ...(direct === undefined ? {} : { fetcher: fetchArgv() }),
  };
  const stopped = new AbortController();
  const child = await server.shell.open(["sh", "-c", pipelineScript(line)], {
    as: "postgres",
    signal: AbortSignal.any([options.signal, stopped.signal]),
  });
  const messages = lastText(child.stderr, 65_536);
  if (once !== undefined) child.stdin.write(`${once.identity.reveal()}\n`);
  const feeding =
    direct === undefined
      ? relayMember(child, readMember(store, manifest, member, options.onBytes), { once, signal: options.signal })
      : servePieces(child, { direct, manifest, member, head: once?.head, ...options });
  // A program that gives up early closes the pipe; its report says more than the broken pipe does.
  const sent = await feeding.catch((error: unknown) => error);
  // A machine that fetches by itself would wait for its next request for ever.
  const over = direct === undefined ? sent instanceof SummitError : sent !== undefined;
  if (over || options.signal.aborted) {
    // It must be over before anybody removes the database that it is filling.
    stopped.abort();
    await child.exit.catch(() => undefined);
    throw options.signal.aborted ? options.signal.reason : sent;
  }
  const status = await child.exit;
  const found = readReport(messages(), line);
  if (found === undefined) {
    throw new SummitError(
      "remote",
      `${program.name} did not report its end (${status.signal ?? `exit status ${status.code}`})`,
      {
        details: messages().trim().split("\n").slice(-6),
        hint: "run the same command again",
      },
    );
  }
  const failed = failures(found.report);
  // The pieces were what was stored, so what age refuses was so when it was stored, or was altered with the manifest.
  if (once !== undefined && found.report.statuses["age"] === 1) {
    throw new SummitError("verification", `${member.file} cannot be decrypted: it was altered`, {
      details: found.messages.split("\n").slice(-4),
      hint: "summitctl backups list    # and restore an older one",
    });
  }
  if (failed.length > 0) {
    throw new SummitError("remote", failed.find((text) => text.startsWith(program.name)) ?? (failed[0] as string), {
      details: found.messages.split("\n").slice(-8),
      hint: "run the same command again",
    });
  }
  const { inner } = found.report;
  if (inner.bytes !== member.plain.bytes || inner.sha256 !== member.plain.sha256) {
    throw new SummitError(
      "verification",
      `${member.file} decodes to ${inner.bytes} bytes that are not what was dumped (${member.plain.bytes} bytes)`,
      { hint: "summitctl backups list    # and restore an older one" },
    );
  }
  return found.messages;
}

async function relayMember(
  child: RemoteProcess,
  body: Readable,
  { once, signal }: { once: DecryptedOnce | undefined; signal: AbortSignal },
): Promise<void> {
  child.stdout.resume();
  if (once === undefined) await pipeline(body, child.stdin, { signal });
  else await pipeline(body, replaceHead(once.old, once.head.bytes), child.stdin, { signal });
}

interface DecryptedOnce {
  readonly identity: Secret;
  /** The head that is in the store. */
  readonly old: Buffer;
  readonly head: { readonly skip: number; readonly bytes: Buffer };
}

function decryptedOnce(key: FileKey | undefined): DecryptedOnce | undefined {
  if (key === undefined) return undefined;
  const { header, identity } = rewrapFileKey(fileKeyBytes(key));
  return { identity, old: key.header, head: { skip: key.header.length, bytes: header } };
}

async function directTransfer(
  server: DatabaseServer,
  store: ObjectStore,
  { stored }: Member,
): Promise<DirectTransfer | undefined> {
  if (stored.parts.length < 2) return undefined;
  const transfer = await chooseTransfer(server, store);
  return "direct" in transfer ? transfer.direct : undefined;
}

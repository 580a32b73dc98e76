import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { DirectTransfer } from "../core/ports/direct-transfer.ts";
import type { RemoteProcess } from "../core/ports/shell.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { chooseTransfer } from "./direct/choose-transfer.ts";
import { fetchArgv } from "./direct/fetch-program.ts";
import { servePieces } from "./direct/serve-pieces.ts";
import { decompressArgv } from "./dump-line.ts";
import { findCompressor } from "./find-compressor.ts";
import { lastText } from "./last-text.ts";
import type { Manifest, Member } from "./manifest.ts";
import { failures, type Pipeline, pipelineScript, readReport, type Stage } from "./measured-pipeline.ts";
import { readMember } from "./read-member.ts";

export interface StoredBackup {
  readonly manifest: Manifest;
  readonly store: ObjectStore;
}

export interface FeedOptions {
  readonly signal: AbortSignal;
  /** Bytes of the stored file so far. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Streams a file of the backup through its decompressor into a program on the machine. Returns the program's messages.
 * What is bigger than one part is fetched by the machine itself, where it reaches the store.
 */
export async function feedMember(
  server: DatabaseServer,
  { store, manifest, member }: StoredBackup & { readonly member: Member },
  program: Stage,
  options: FeedOptions,
): Promise<string> {
  const decompressor = await findCompressor(server);
  const direct = await directTransfer(server, store, member);
  const line: Pipeline = {
    stages: [{ name: decompressor, argv: decompressArgv(decompressor) }, program],
    nonce: `summitctl-report-${randomBytes(12).toString("hex")}`,
    ...(direct === undefined ? {} : { fetcher: fetchArgv() }),
  };
  const stopped = new AbortController();
  const child = await server.shell.open(["sh", "-c", pipelineScript(line)], {
    as: "postgres",
    signal: AbortSignal.any([options.signal, stopped.signal]),
  });
  const messages = lastText(child.stderr, 65_536);
  const feeding =
    direct === undefined
      ? relayMember(child, readMember(store, manifest, member, options.onBytes), options.signal)
      : servePieces(child, { direct, manifest, member, ...options });
  // A program that gives up early closes the pipe; its report says more than the broken pipe does.
  const sent = await feeding.catch((error: unknown) => error);
  if (sent instanceof SummitError || options.signal.aborted) {
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

async function relayMember(child: RemoteProcess, body: Readable, signal: AbortSignal): Promise<void> {
  child.stdout.resume();
  await pipeline(body, child.stdin, { signal });
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

import type { Argv } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError } from "../core/errors.ts";
import type { Task } from "../core/ports/output.ts";
import { decodeMember } from "./decode-member.ts";
import { type GetIdentities, openFiles } from "./encryption/open-files.ts";
import type { StoredBackup } from "./feed-member.ts";
import { findDecoder } from "./find-decoder.ts";
import { type Member, storedBytes } from "./manifest.ts";
import { checkSizes } from "./read-member.ts";
import type { VerifiedRecord } from "./records.ts";

/** What a verification found. */
export type Found = Pick<VerifiedRecord, "ok" | "compared" | "problems" | "seconds">;

/**
 * Reads back all of a backup, part by part, decodes it on this computer and compares sizes and hashes of what is
 * stored and of what was dumped. Needs no database, and one part's memory. Throws what the store throws: then nothing
 * was found out; kind `config` when it is encrypted and no identity opens it. What is wrong is read once more, since only what is wrong twice is wrong in the store.
 */
export async function verifyBackup(
  backup: StoredBackup,
  { out, now, signal, identities }: Pick<Deps, "out" | "now" | "signal" | "identities">,
): Promise<Found> {
  const { manifest, store } = backup;
  const decoders = new Map<Member["compression"], Argv>();
  for (const { compression } of manifest.members) decoders.set(compression, await findDecoder(compression));
  const began = now();
  const task = out.task(`verify ${manifest.id} in ${store.url}`);
  try {
    const opened = await open(backup, identities);
    const problems = typeof opened === "string" ? [opened] : await readAll(opened, { decoders, task, signal });
    if (problems.length === 0) task.done("every byte read and decoded");
    else task.fail(problems[0]);
    return {
      ok: problems.length === 0,
      compared: comparedOf(backup),
      problems: problems.map((problem) => problem.slice(0, 2000)),
      seconds: (now().getTime() - began.getTime()) / 1000,
    };
  } catch (error) {
    task.fail();
    throw error;
  }
}

const comparedOf = ({ manifest }: StoredBackup): VerifiedRecord["compared"] => ({
  files: manifest.members.length,
  parts: manifest.members.reduce((sum, { stored }) => sum + stored.parts.length, 0),
  storedBytes: storedBytes(manifest),
  plainBytes: manifest.members.reduce((sum, { plain }) => sum + plain.bytes, 0),
});

/** With the keys of its encrypted files; or what is wrong with it, as far as sizes and heads tell. */
async function open(backup: StoredBackup, identities: GetIdentities | undefined): Promise<StoredBackup | string> {
  try {
    await checkSizes(backup.store, backup.manifest);
    return { ...backup, keys: await openFiles(backup, identities) };
  } catch (error) {
    if (isSummitError(error) && error.kind === "verification") return error.message;
    throw error;
  }
}

interface Reading {
  readonly decoders: ReadonlyMap<Member["compression"], Argv>;
  readonly task: Task;
  readonly signal: AbortSignal;
}

async function readAll(backup: StoredBackup, { decoders, task, signal }: Reading): Promise<string[]> {
  const total = storedBytes(backup.manifest);
  const problems: string[] = [];
  let before = 0;
  for (const member of backup.manifest.members) {
    const reading = {
      argv: decoders.get(member.compression) as Argv,
      signal,
      onBytes: (bytes: number) => task.progress({ bytes: before + bytes, total }),
    };
    const first = await decodeMember({ ...backup, member }, reading);
    const problem = first === undefined ? undefined : await decodeMember({ ...backup, member }, reading);
    if (problem !== undefined) problems.push(problem);
    before += member.stored.bytes;
  }
  return problems;
}

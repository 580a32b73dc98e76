import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { toShell } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import { byHandLine } from "./by-hand.ts";
import { manifestBytes } from "./catalog.ts";
import type { StoredBackup } from "./feed-member.ts";
import { MANIFEST_FILE } from "./keys.ts";
import { databaseMembers, type Member } from "./manifest.ts";
import { checkSizes, readMember } from "./read-member.ts";
import { makeUnfinishedFolder, removeAbandonedFolders } from "./unfinished-folder.ts";

export interface GetResult {
  readonly schema: "summitctl.backup-got.v1";
  readonly id: string;
  readonly folder: string;
  readonly files: readonly string[];
  /** For each database, how it is restored without summitctl. */
  readonly byHand: readonly string[];
}

type GetDeps = Pick<Deps, "out" | "signal">;

/**
 * Copies a backup into a new folder, every part checked. The folder appears whole or not at all; what killed calls
 * left in `target` is removed. Rejects with kind `check` when the folder exists.
 */
export async function getBackup(backup: StoredBackup, target: string, deps: GetDeps): Promise<GetResult> {
  const { manifest, store } = backup;
  const folder = join(target, manifest.id);
  if (await exists(folder)) {
    throw new SummitError("check", `${folder} exists, and nothing is written over it`, {
      hint: `${toShell(["rm", "-r", folder])}    # or give another folder: --to FOLDER`,
    });
  }
  await checkSizes(store, manifest);
  let unfinished: string | undefined;
  try {
    await removeAbandonedFolders(target);
    unfinished = await makeUnfinishedFolder(target, manifest.id);
    for (const member of manifest.members) await getMember(backup, member, unfinished, deps);
    await writeDurably(join(unfinished, MANIFEST_FILE), [await manifestBytes(store, manifest)]);
    await syncFolder(unfinished);
    await rename(unfinished, folder);
    await syncFolder(target);
  } catch (error) {
    if (unfinished !== undefined) await rm(unfinished, { recursive: true, force: true });
    deps.signal.throwIfAborted();
    throw isSummitError(error) ? error : unwritable(target, error);
  }
  return {
    schema: "summitctl.backup-got.v1",
    id: manifest.id,
    folder,
    files: [...manifest.members.map(({ file }) => file), MANIFEST_FILE],
    byHand: databaseMembers(manifest).map(byHandLine),
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function getMember(
  { manifest, store }: StoredBackup,
  member: Member,
  folder: string,
  { out, signal }: GetDeps,
): Promise<void> {
  const task = out.task(member.file);
  try {
    const body = readMember(store, manifest, member, (bytes) => task.progress({ bytes, total: member.stored.bytes }));
    await writeDurably(join(folder, member.file), addAbortSignal(signal, body));
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

async function writeDurably(path: string, body: Readable | readonly Buffer[]): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const piece of body as AsyncIterable<Buffer>) await file.appendFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is durable when its folder is. Not every file system can. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync().catch(() => undefined);
  await folder.close();
}

function unwritable(target: string, cause: unknown): SummitError {
  const full = cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT");
  return new SummitError(
    "unexpected",
    full ? `the disk of ${target} is full, nothing was left there` : `${target} cannot be written: ${messageOf(cause)}`,
    {
      cause,
      hint: full
        ? `${toShell(["df", "-h", target])}    # or give another folder: --to FOLDER`
        : toShell(["ls", "-ld", target]),
    },
  );
}

export const getView = ({ id, folder, files, byHand }: GetResult): View => [
  { text: `backup ${id} is in ${folder}` },
  ...files.map((file) => ({ text: `  ${file}` })),
  { text: "by hand, without summitctl:" },
  ...byHand.map((line) => ({ text: `  ${line}` })),
];

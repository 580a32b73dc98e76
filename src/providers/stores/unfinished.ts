import { randomBytes } from "node:crypto";
import type { Dirent } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, rmdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { codeOf } from "./file-error.ts";

/** Objects being written live here, in the store's root, in the folders of their keys; no key may start with a dot. */
const UNFINISHED_FOLDER = ".unfinished";

const NAME = /^(?<host>.+)\.(?<pid>\d+)\.[0-9a-f]+$/;

export interface UnfinishedFile {
  readonly path: string;
  /** Open for writing; the caller closes it. */
  readonly handle: FileHandle;
  /** Best effort: what stays is found by the next run. */
  remove(): Promise<void>;
}

/** A new file to be written, whose name says who writes it. */
export async function openUnfinished(root: string, key: string): Promise<UnfinishedFile> {
  const folder = join(root, UNFINISHED_FOLDER, dirname(key));
  const path = join(folder, `${hostname()}.${process.pid}.${randomBytes(6).toString("hex")}`);
  const handle = await createIn(folder, path);
  const remove = async (): Promise<void> => {
    await rm(path, { force: true }).catch(() => undefined);
    await removeEmptyFolders(folder, join(root, UNFINISHED_FOLDER));
  };
  return { path, handle, remove };
}

/** The folder may be removed by who finds it empty at any moment until the file is there. */
async function createIn(folder: string, path: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeFolder(folder);
      return await open(path, "wx", 0o600);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || attempt === 20) throw error;
    }
  }
}

/** Not by `mkdir` with `recursive`: on a file system that is read-only that one says that something is missing. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT") throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 }).catch((again: unknown) => {
      if (codeOf(again) !== "EEXIST") throw again;
    });
  }
}

/** The folder and those above it, up to the first that holds something, and not `top`. */
export async function removeEmptyFolders(folder: string, top: string): Promise<void> {
  for (let each = folder; each.length > top.length; each = dirname(each)) {
    const removed = await rmdir(each).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Removes all that is unfinished under a prefix, whoever began it, and says how many files that were. */
export async function removeUnfinished(root: string, prefix: string): Promise<number> {
  const folder = join(root, UNFINISHED_FOLDER, prefix);
  const files = await filesUnder(folder);
  for (const file of files) await removeFile(file, join(root, UNFINISHED_FOLDER));
  return files.length;
}

/** Removes what processes of this computer left that no longer run. Best effort: what stays takes room, no more. */
export async function removeAbandoned(root: string): Promise<void> {
  const top = join(root, UNFINISHED_FOLDER);
  for (const file of await filesUnder(top).catch(() => [])) {
    const { host, pid } = NAME.exec(file.slice(file.lastIndexOf("/") + 1))?.groups ?? {};
    if (host === hostname() && !isRunning(Number(pid))) await removeFile(file, top).catch(() => undefined);
  }
}

async function removeFile(file: string, top: string): Promise<void> {
  await rm(file, { force: true });
  await removeEmptyFolders(dirname(file), top);
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown): Dirent[] => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  const found = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? await filesUnder(path) : [path];
  });
  return (await Promise.all(found)).flat();
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

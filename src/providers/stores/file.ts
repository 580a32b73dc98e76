import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rm, rmdir, stat, unlink, utimes } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { isSummitError, messageOf, SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ObjectInfo, ObjectStore } from "../../core/ports/store.ts";

/** Unfinished objects: a name that no key may have, ending in the writer's process id. */
const UNFINISHED = /(^|\/)\.unfinished-\d+-[0-9a-f]+$/;
const KEY = /^(?!\.)[A-Za-z0-9_.,=@+-]+(\/(?!\.)[A-Za-z0-9_.,=@+-]+)*$/;

/**
 * A folder as a store: of this computer, or a share mounted on it. An object is written under an unfinished name,
 * synced, then linked to its key, which fails when the key exists: that makes creation exclusive and whole.
 */
export function fileStore(url: string): ObjectStore {
  const root = fileURLToPath(url);

  return {
    url,

    async put(key, body, signal) {
      const target = pathOf(key);
      const unfinished = join(dirname(target), `.unfinished-${process.pid}-${randomBytes(6).toString("hex")}`);
      try {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await writeDurably(unfinished, body, signal);
        await link(unfinished, target);
      } catch (error) {
        if (codeOf(error) === "EEXIST") {
          throw new SummitError("check", `the store has ${show(key)} already, and objects are write-once`);
        }
        throw storeError(error, `the store ${url} did not take ${show(key)}`);
      } finally {
        await rm(unfinished, { force: true }).catch(() => undefined);
      }
      await syncFolder(dirname(target));
      return await headOf(key);
    },

    async get(key, range) {
      await headOf(key);
      const slice = range === undefined ? {} : { start: range.offset, end: range.offset + range.length - 1 };
      if (range?.length === 0) return Readable.from([]);
      return createReadStream(pathOf(key), { highWaterMark: 1024 * 1024, ...slice });
    },

    async head(key) {
      return await headOf(key).catch((error: unknown) => {
        if (isSummitError(error) && codeOf(error.cause) === "ENOENT") return undefined;
        throw error;
      });
    },

    async list(prefix) {
      if (prefix !== "" && !prefix.endsWith("/")) throw new SummitError("unexpected", `a prefix ends in "/", not ${show(prefix)}`);
      const folder = prefix === "" ? root : pathOf(prefix.slice(0, -1));
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        // A store that was never written to is empty; one whose root is gone cannot be told from it here.
        if (codeOf(error) === "ENOENT") return [];
        throw storeError(error, `the store ${url} cannot be listed`);
      });
      const infos = entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .filter((key) => !UNFINISHED.test(key))
        .map((key) => headOf(key).catch(() => undefined));
      return (await Promise.all(infos)).filter((info) => info !== undefined);
    },

    async delete(key) {
      const path = pathOf(key);
      await unlink(path).catch((error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw storeError(error, `the store ${url} did not delete ${show(key)}`);
      });
      // Folders are not objects: the empty ones go, up to the first that holds something.
      for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder)) {
        if (!(await rmdir(folder).then(() => true, () => false))) break;
      }
    },

    async now() {
      // The clock of the file system, which on a share is another computer's.
      const probe = join(root, `.unfinished-${process.pid}-${randomBytes(6).toString("hex")}`);
      try {
        await mkdir(root, { recursive: true, mode: 0o700 });
        const handle = await open(probe, "wx", 0o600);
        await handle.write("clock");
        await handle.close();
        return (await stat(probe)).mtime;
      } catch (error) {
        throw storeError(error, `the store ${url} cannot be written`);
      } finally {
        await rm(probe, { force: true }).catch(() => undefined);
      }
    },
  };

  function pathOf(key: string): string {
    if (!KEY.test(key) || key.length > 1000) throw new SummitError("usage", `${show(key)} cannot be a key of a store`);
    return join(root, ...key.split("/"));
  }

  async function headOf(key: string): Promise<ObjectInfo> {
    try {
      const found = await stat(pathOf(key));
      return { key, size: found.size, storedAt: found.mtime };
    } catch (error) {
      if (isSummitError(error)) throw error;
      throw storeError(error, `the store ${url} has no readable ${show(key)}`);
    }
  }
}

async function writeDurably(file: string, body: Readable | Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await writeAll(handle, body, signal);
    await handle.sync();
    // The time of completion, not of the last byte: what was finished later sorts later.
    const now = new Date();
    await utimes(file, now, now);
  } finally {
    await handle.close();
  }
}

/** Not by a write stream of the handle: on Node 20 piping into one that does not close its handle never ends. */
async function writeAll(handle: FileHandle, body: Readable | Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  if (body instanceof Uint8Array) return await handle.writeFile(body);
  if (signal !== undefined) addAbortSignal(signal, body);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    for (let rest = chunk; rest.length > 0; ) {
      const { bytesWritten } = await handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
  }
}

/** The name itself must survive a power cut, not only the bytes. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

const REASONS: Readonly<Record<string, [string, string]>> = {
  ENOSPC: ["the disk is full", "df -h"],
  EDQUOT: ["the quota is used up", "quota"],
  EROFS: ["it is mounted read-only", "mount | grep ro,"],
  EACCES: ["permission denied", "ls -ld"],
  EPERM: ["permission denied", "ls -ld"],
  ENOENT: ["there is no such object", "summitctl backups list"],
  ENOTDIR: ["a part of its path is a file", "ls -ld"],
};

function storeError(error: unknown, message: string): unknown {
  const code = codeOf(error);
  // An abort, or the source's own failure: not the store's.
  if (isSummitError(error) || (error instanceof Error && error.name === "AbortError")) return error;
  if (code === undefined) return error;
  const [reason, hint] = REASONS[code] ?? [messageOf(error), "summitctl doctor"];
  return new SummitError("store", `${message}: ${reason}`, { cause: error, hint });
}

const codeOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : undefined;

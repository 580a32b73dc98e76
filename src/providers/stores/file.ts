import { createReadStream } from "node:fs";
import { type FileHandle, link, mkdir, open, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { isSummitError, SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ObjectInfo, ObjectStore, StoreCapabilities } from "../../core/ports/store.ts";
import { codeOf, storeError } from "./file-error.ts";
import { listFolder } from "./list-folder.ts";
import { checkedKey, checkedPrefix } from "./object-key.ts";
import {
  openUnfinished,
  removeAbandoned,
  removeEmptyFolders,
  removeUnfinished,
  type UnfinishedFile,
} from "./unfinished.ts";

/** `link` fails when the name is taken, on every file system that has it. */
const CAPABILITIES: StoreCapabilities = { exclusiveCreate: true, checksum: "none", maxParts: undefined };

/**
 * A folder as a store: of this computer, or a share mounted on it. An object is written under an unfinished name,
 * synced, then linked to its key, which fails when the key exists: that makes creation exclusive and whole.
 */
export function fileStore(url: string): ObjectStore {
  const root = fileURLToPath(url);
  let swept: Promise<void> | undefined;

  return {
    url,

    async put(key, body, signal) {
      const target = pathOf(key);
      let unfinished: UnfinishedFile | undefined;
      try {
        signal?.throwIfAborted();
        swept ??= removeAbandoned(root);
        await swept;
        unfinished = await openUnfinished(root, key);
        await writeDurably(unfinished.handle, body, signal);
        await linkInto(unfinished.path, target);
      } catch (error) {
        if (body instanceof Readable) body.destroy();
        // The abort's own reason says more than the stream's AbortError.
        if (signal?.aborted && !isSummitError(error)) throw signal.reason;
        if (isTaken(error))
          throw new SummitError("check", `the store has ${show(key)} already, and objects are write-once`);
        throw storeError(error, `the store ${url} did not take ${show(key)}`);
      } finally {
        await unfinished?.remove();
      }
      await syncFolder(dirname(target));
      return await infoOf(key);
    },

    async get(key, range) {
      await infoOf(key);
      if (range?.length === 0) return Readable.from([]);
      const slice = range === undefined ? {} : { start: range.offset, end: range.offset + range.length - 1 };
      return createReadStream(pathOf(key), { highWaterMark: 1024 * 1024, ...slice });
    },

    async head(key) {
      return await infoOf(key).catch(async (error: unknown) => {
        if (isSummitError(error) && (await isNoSuchObject(error.cause))) return undefined;
        throw error;
      });
    },

    async list(prefix) {
      checkedPrefix(prefix);
      try {
        return await listFolder(root, prefix.slice(0, -1), isNoSuchObject);
      } catch (error) {
        throw storeError(error, `the store ${url} cannot be listed`);
      }
    },

    async delete(key) {
      const path = pathOf(key);
      await unlink(path).catch(async (error: unknown) => {
        if (!(await isNoSuchObject(error))) throw storeError(error, `the store ${url} did not delete ${show(key)}`);
      });
      // Folders are not objects.
      await removeEmptyFolders(dirname(path), root);
    },

    async now() {
      let probe: UnfinishedFile | undefined;
      try {
        // The clock of the file system, which on a share is another computer's.
        probe = await openUnfinished(root, "clock");
        await probe.handle.write("clock");
        await probe.handle.close();
        return (await stat(probe.path)).mtime;
      } catch (error) {
        throw storeError(error, `the store ${url} cannot be written`);
      } finally {
        await probe?.remove();
      }
    },

    capabilities: async () => CAPABILITIES,

    lastCapabilities: async () => ({ ...CAPABILITIES, foundAt: undefined }),

    async removeUnfinished(prefix) {
      checkedPrefix(prefix);
      try {
        return await removeUnfinished(root, prefix);
      } catch (error) {
        throw storeError(error, `the store ${url} did not remove what was left unfinished`);
      }
    },
  };

  function pathOf(key: string): string {
    return join(root, ...checkedKey(key).split("/"));
  }

  async function infoOf(key: string): Promise<ObjectInfo> {
    const path = pathOf(key);
    try {
      const found = await stat(path);
      if (!found.isFile()) throw Object.assign(new Error(`${path} is a folder`), { code: "ENOENT" });
      return { key, size: found.size, storedAt: found.mtime };
    } catch (error) {
      throw storeError(error, `the store ${url} has no readable ${show(key)}`);
    }
  }

  /** Also when a part of the path is an object. That the root itself is a file is a failure of the store. */
  async function isNoSuchObject(error: unknown): Promise<boolean> {
    const code = codeOf(error);
    // Unlinking a folder.
    if (code === "ENOENT" || code === "EISDIR") return true;
    return code === "ENOTDIR" && (await stat(root)).isDirectory();
  }
}

/** The folder may be removed by a `delete` of its last object at any moment until the link. */
async function linkInto(unfinished: string, target: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      return await link(unfinished, target);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || attempt === 20) throw error;
    }
  }
}

/** Of `link`; `mkdir` fails like this when a part of the path is an object. */
const isTaken = (error: unknown): boolean =>
  codeOf(error) === "EEXIST" && (error as NodeJS.ErrnoException).syscall === "link";

async function writeDurably(
  handle: FileHandle,
  body: Readable | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const size = await writeAll(handle, body, signal);
    // Makes the time that of completion, not of the last byte, by the file system's own clock, which on a share is
    // another computer's: what was finished later sorts later.
    await handle.truncate(size);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A link hands over small pieces, and each write is a trip to another thread. */
const WRITE_SIZE = 1024 * 1024;

/** Not by a write stream of the handle: on Node 20 piping into one that does not close its handle never ends. */
async function writeAll(
  handle: FileHandle,
  body: Readable | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const chunks = body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>);
  if (signal !== undefined && body instanceof Readable) addAbortSignal(signal, body);
  let size = 0;
  let gathered: Uint8Array[] = [];
  let waiting = 0;
  const flush = async (): Promise<void> => {
    for (let rest = Buffer.concat(gathered); rest.length > 0; ) {
      const { bytesWritten } = await handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
    size += waiting;
    [gathered, waiting] = [[], 0];
  };
  for await (const chunk of chunks) {
    gathered.push(chunk);
    waiting += chunk.length;
    if (waiting >= WRITE_SIZE) await flush();
  }
  await flush();
  signal?.throwIfAborted();
  return size;
}

/** The name itself must survive a power cut, not only the bytes. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

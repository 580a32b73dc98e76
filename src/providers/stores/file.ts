import { createReadStream, type Dirent } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { isSummitError, SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ObjectInfo, ObjectStore } from "../../core/ports/store.ts";
import { codeOf, storeError } from "./file-error.ts";
import { removeUnfinished, unfinishedFile } from "./unfinished.ts";

const KEY = /^(?!\.)[A-Za-z0-9_.,=@+-]+(\/(?!\.)[A-Za-z0-9_.,=@+-]+)*$/;

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
      let unfinished: string | undefined;
      try {
        signal?.throwIfAborted();
        swept ??= removeUnfinished(root);
        await swept;
        unfinished = await unfinishedFile(root);
        await writeDurably(unfinished, body, signal);
        await linkInto(unfinished, target);
      } catch (error) {
        if (body instanceof Readable) body.destroy();
        // The abort's own reason says more than the stream's AbortError.
        if (signal?.aborted && !isSummitError(error)) throw signal.reason;
        if (isTaken(error))
          throw new SummitError("check", `the store has ${show(key)} already, and objects are write-once`);
        throw storeError(error, `the store ${url} did not take ${show(key)}`);
      } finally {
        if (unfinished !== undefined) await rm(unfinished, { force: true }).catch(() => undefined);
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
      if (prefix !== "" && !prefix.endsWith("/"))
        throw new SummitError("unexpected", `a prefix ends in "/", not ${show(prefix)}`);
      try {
        return await infosUnder(prefix === "" ? "" : keyOf(prefix.slice(0, -1)));
      } catch (error) {
        throw storeError(error, `the store ${url} cannot be listed`);
      }
    },

    async delete(key) {
      const path = pathOf(key);
      await unlink(path).catch(async (error: unknown) => {
        if (!(await isNoSuchObject(error))) throw storeError(error, `the store ${url} did not delete ${show(key)}`);
      });
      // Folders are not objects: the empty ones go, up to the first that holds something.
      for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder)) {
        if (
          !(await rmdir(folder).then(
            () => true,
            () => false,
          ))
        )
          break;
      }
    },

    async now() {
      let probe: string | undefined;
      try {
        // The clock of the file system, which on a share is another computer's.
        probe = await unfinishedFile(root);
        const handle = await open(probe, "wx", 0o600);
        await handle.write("clock");
        await handle.close();
        return (await stat(probe)).mtime;
      } catch (error) {
        throw storeError(error, `the store ${url} cannot be written`);
      } finally {
        if (probe !== undefined) await rm(probe, { force: true }).catch(() => undefined);
      }
    },
  };

  function keyOf(key: string): string {
    if (!KEY.test(key) || key.length > 1000) throw new SummitError("usage", `${show(key)} cannot be a key of a store`);
    return key;
  }

  function pathOf(key: string): string {
    return join(root, ...keyOf(key).split("/"));
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

  /** Not `readdir` with `recursive`: that fails as a whole when one folder goes away meanwhile. */
  async function infosUnder(folder: string): Promise<ObjectInfo[]> {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(
      async (error: unknown): Promise<Dirent[]> => {
        // A store that was never written to is empty; one whose root is gone cannot be told from it here.
        if (await isNoSuchObject(error)) return [];
        throw error;
      },
    );
    const found = entries
      .filter(({ name }) => !name.startsWith("."))
      .map(async (entry): Promise<ObjectInfo[]> => {
        const key = posix.join(folder, entry.name);
        if (entry.isDirectory()) return await infosUnder(key);
        // Files that people put there and that no key can name are not objects.
        if (!entry.isFile() || !KEY.test(key)) return [];
        const info = await infoOf(key).catch(() => undefined);
        return info === undefined ? [] : [info];
      });
    return (await Promise.all(found)).flat();
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

async function writeDurably(file: string, body: Readable | Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const handle = await open(file, "wx", 0o600);
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

/** Not by a write stream of the handle: on Node 20 piping into one that does not close its handle never ends. */
async function writeAll(
  handle: FileHandle,
  body: Readable | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const chunks = body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>);
  if (signal !== undefined && body instanceof Readable) addAbortSignal(signal, body);
  let size = 0;
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0; ) {
      const { bytesWritten } = await handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
    size += chunk.length;
  }
  signal?.throwIfAborted();
  return size;
}

/** The name itself must survive a power cut, not only the bytes. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

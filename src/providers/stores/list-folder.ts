import { type Dirent, readdir, type Stats, stat } from "node:fs";
import { join } from "node:path";
import type { ObjectInfo } from "../../core/ports/store.ts";
import { isKey } from "./object-key.ts";

/** Calls to the file system at the same time: it has four threads, and a share answers several at once. */
const AT_ONCE = 32;

/**
 * The objects of a store that is a folder, under one of its folders (`""`: all). What goes away meanwhile, as `isGone`
 * says of a failure, is left out; every other failure rejects, since a list is never one in part.
 *
 * By callbacks: a promise for each of 100,000 files takes three times as long as asking for them. Not by `readdir`
 * with `recursive`, which fails as a whole when one folder goes away.
 */
export async function listFolder(
  root: string,
  folder: string,
  isGone: (error: unknown) => Promise<boolean>,
): Promise<ObjectInfo[]> {
  return await new Promise((resolve, reject) => {
    const found: ObjectInfo[] = [];
    const waiting: Waiting[] = [{ key: folder, isFolder: true }];
    let running = 0;

    const advance = (): void => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        running += 1;
        if (next.isFolder) look(next.key);
        else measure(next.key);
        if (running >= AT_ONCE) return;
      }
      if (running === 0) resolve(found);
    };
    const ended = (): void => {
      running -= 1;
      advance();
    };
    const failed = (error: unknown): void => {
      isGone(error).then((gone) => (gone ? ended() : reject(error)), reject);
    };
    const look = (key: string): void =>
      readdir(join(root, key), { withFileTypes: true }, (error, entries) => {
        if (error !== null) return failed(error);
        for (const entry of entries) addEntry(waiting, key, entry);
        ended();
      });
    const measure = (key: string): void =>
      stat(join(root, key), (error, stats) => {
        if (error !== null) return failed(error);
        if (stats.isFile()) found.push(infoOf(key, stats));
        ended();
      });
    advance();
  });
}

interface Waiting {
  readonly key: string;
  readonly isFolder: boolean;
}

/** Files that people put there and that no key can name are not objects, and neither are links. */
function addEntry(waiting: Waiting[], folder: string, entry: Dirent): void {
  const { name } = entry;
  if (name.startsWith(".")) return;
  const key = folder === "" ? name : `${folder}/${name}`;
  if (entry.isDirectory()) waiting.push({ key, isFolder: true });
  else if (entry.isFile() && isKey(key)) waiting.push({ key, isFolder: false });
}

const infoOf = (key: string, { size, mtime }: Stats): ObjectInfo => ({ key, size, storedAt: mtime });

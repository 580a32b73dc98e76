import { randomUUID } from "node:crypto";
import { link, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import writeFileAtomic from "write-file-atomic";
import { quote } from "../../core/argv.ts";
import { sha256 } from "../../core/digest.ts";
import { SummitError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports/store.ts";
import { fileStore } from "./file.ts";
import { codeOf, storeError } from "./file-error.ts";
import { openUnfinished, type UnfinishedFile } from "./unfinished.ts";

/** In the store's root, where no key can be; holds a random word. */
const MARK = ".summitctl-store";

/**
 * A folder as a store that is told from the empty folder under a share that is not mounted: its root is marked at the
 * first write, and `memory` keeps the mark of every store that this computer has used. Rejects with kind `store`, before
 * anything is read or written, when the mark is not the one that was there.
 */
export function markedFolder(url: string, memory: string): ObjectStore {
  const store = fileStore(url);
  const root = fileURLToPath(url);
  const known = join(memory, sha256(url).slice(0, 32));
  let checked: Promise<boolean> | undefined;

  const check = (): Promise<boolean> => {
    checked ??= isMarked().catch((error: unknown) => {
      checked = undefined;
      throw error;
    });
    return checked;
  };

  async function isMarked(): Promise<boolean> {
    const [mark, seen] = await Promise.all([readMark(join(root, MARK)), readMark(known)]);
    if (seen !== undefined && mark !== seen) {
      const found = mark === undefined ? "is empty or another folder" : "is another store";
      throw new SummitError("store", `${url} ${found} than the store that this computer has used there`, {
        details: ["is a share not mounted?", `if it is meant to be a new store: rm ${quote(known)}`],
        hint: `findmnt -T ${quote(root)}`,
      });
    }
    if (mark !== undefined && seen === undefined) await remember(mark);
    return mark !== undefined;
  }

  /** Whole or not at all; of two at once the first one's mark stays. Where there is none, none is remembered. */
  async function leaveMark(): Promise<void> {
    let unfinished: UnfinishedFile | undefined;
    try {
      unfinished = await openUnfinished(root, MARK);
      await unfinished.handle.writeFile(`${randomUUID()}\n`).finally(() => unfinished?.handle.close());
      await link(unfinished.path, join(root, MARK));
    } catch {
      // It is there already, or the disk is full: the object itself is stored, and the next write tries again.
    } finally {
      await unfinished?.remove();
    }
    checked = undefined;
    await check();
  }

  /** Best effort: a computer that can keep nothing is not warned, and works. */
  async function remember(mark: string): Promise<void> {
    try {
      await mkdir(dirname(known), { recursive: true, mode: 0o700 });
      await writeFileAtomic(known, mark, { mode: 0o600 });
    } catch {
      // The next command tries again.
    }
  }

  const first =
    <Args extends unknown[], Result>(act: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await check();
      return await act(...args);
    };
  return {
    ...store,
    async put(key, body, signal) {
      const marked = await check();
      const info = await store.put(key, body, signal);
      if (!marked) await leaveMark();
      return info;
    },
    get: first(store.get),
    head: first(store.head),
    list: first(store.list),
    delete: first(store.delete),
    now: first(store.now),
    removeUnfinished: first(store.removeUnfinished),
  };
}

/** Undefined when there is none. That it cannot be read is something else. */
const readMark = (file: string): Promise<string | undefined> =>
  readFile(file, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw storeError(error, `${file} cannot be read`);
  });

import { buffer } from "node:stream/consumers";
import pLimit from "p-limit";
import { type ObjectMemory, type Remembered, recalled, rememberedOf } from "../core/ports/object-memory.ts";
import type { ObjectInfo, ObjectStore } from "../core/ports/store.ts";

/** Objects that are read at the same time. */
const AT_ONCE = 16;

export interface Reading<T> {
  /** Names what is remembered; another one for every form of the values. */
  readonly scope: string;
  readonly memory: ObjectMemory | undefined;
  /** A value that JSON can hold, and whether it may be remembered. */
  readonly parse: (content: string, info: ObjectInfo) => { readonly value: T; readonly lasting: boolean };
}

/**
 * Reads small objects and makes a value of each; of those that were read before, none is read again. An object that
 * went away since it was listed has no value. Throws what the store throws.
 */
export async function readObjects<T>(
  store: ObjectStore,
  objects: readonly ObjectInfo[],
  { scope, memory, parse }: Reading<T>,
): Promise<ReadonlyMap<string, T>> {
  const before: ReadonlyMap<string, Remembered> = (await memory?.recall(scope)) ?? new Map();
  const values = new Map<string, T>();
  const now = new Map<string, Remembered>();
  const limit = pLimit(AT_ONCE);
  const waiting: Promise<void>[] = [];
  const read = async (info: ObjectInfo): Promise<void> => {
    const content = await contentOf(store, info.key);
    if (content === undefined) return;
    const { value, lasting } = parse(content, info);
    values.set(info.key, value);
    if (lasting) now.set(info.key, rememberedOf(info, value));
  };
  for (const info of objects) {
    const known = recalled(before, info);
    if (known === undefined) {
      waiting.push(limit(read, info));
    } else {
      values.set(info.key, known as T);
      now.set(info.key, before.get(info.key) as Remembered);
    }
  }
  try {
    await Promise.all(waiting);
  } finally {
    limit.clearQueue();
  }
  if (waiting.length > 0 || now.size < before.size) await memory?.keep(scope, now);
  return values;
}

async function contentOf(store: ObjectStore, key: string): Promise<string | undefined> {
  try {
    return (await buffer(await store.get(key))).toString("utf8");
  } catch (error) {
    if ((await store.head(key)) === undefined) return undefined;
    throw error;
  }
}

import { Readable } from "node:stream";
import type { ObjectStore } from "../../src/core/ports/store.ts";

export interface Watch {
  /** Awaited when the first bytes of an object have come, before they go on. May throw: the put then fails. */
  onFirstBytes?(key: string): unknown;
  /** Awaited before an object is put. */
  beforePut?(key: string): unknown;
}

/** A store that lets a test act at an exact moment of a transfer. */
export function watchedStore(store: ObjectStore, { onFirstBytes, beforePut }: Watch): ObjectStore {
  async function* watched(key: string, body: Readable): AsyncGenerator<Buffer> {
    let first = true;
    for await (const chunk of body) {
      if (first) await onFirstBytes?.(key);
      first = false;
      yield chunk as Buffer;
    }
  }
  return {
    ...store,
    async put(key, body, signal) {
      await beforePut?.(key);
      return await store.put(
        key,
        body instanceof Readable ? Readable.from(watched(key, body), { objectMode: false }) : body,
        signal,
      );
    },
  };
}

import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { SummitError } from "../../src/core/errors.ts";
import { show } from "../../src/core/names.ts";
import type { ObjectInfo, ObjectStore, StoreCapabilities } from "../../src/core/ports/store.ts";
import type { Now } from "../../src/core/time.ts";
import { checkedKey, checkedPrefix } from "../../src/providers/stores/object-key.ts";

export interface MemoryStore extends ObjectStore {
  /** For tests that damage what is stored, which the port does not allow. */
  readonly objects: Map<string, { body: Buffer; storedAt: Date }>;
}

const CAPABILITIES: StoreCapabilities = { exclusiveCreate: true, checksum: "none", maxParts: undefined };

/** A store in memory that passes the same contract suite as the real ones. `now` is the store's own clock. */
export function memoryStore({
  url = "memory:///",
  now = () => new Date(),
}: {
  url?: string;
  now?: Now;
} = {}): MemoryStore {
  const objects: MemoryStore["objects"] = new Map();
  const infoOf = (key: string): ObjectInfo | undefined => {
    const found = objects.get(checkedKey(key));
    return found === undefined ? undefined : { key, size: found.body.length, storedAt: found.storedAt };
  };

  return {
    url,
    objects,
    async put(key, body, signal) {
      checkedKey(key);
      if (signal?.aborted && body instanceof Readable) body.destroy();
      signal?.throwIfAborted();
      const content = body instanceof Uint8Array ? Buffer.from(body) : await collect(body, signal);
      if (objects.has(key))
        throw new SummitError("check", `the store has ${show(key)} already, and objects are write-once`);
      objects.set(key, { body: content, storedAt: now() });
      return infoOf(key) as ObjectInfo;
    },
    async get(key, range) {
      const found = objects.get(checkedKey(key));
      if (found === undefined) throw new SummitError("store", `the store ${url} has no readable ${show(key)}`);
      const { offset, length } = range ?? { offset: 0, length: found.body.length };
      return Readable.from([found.body.subarray(offset, offset + length)], { objectMode: false });
    },
    head: async (key) => infoOf(key),
    async list(prefix) {
      checkedPrefix(prefix);
      return [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => infoOf(key) as ObjectInfo);
    },
    delete: async (key) => void objects.delete(checkedKey(key)),
    now: async () => now(),
    capabilities: async () => CAPABILITIES,
    lastCapabilities: async () => ({ ...CAPABILITIES, foundAt: undefined }),
    // What is not finished is in the memory of its writer alone.
    async removeUnfinished(prefix) {
      checkedPrefix(prefix);
      return 0;
    },
  };
}

async function collect(body: Readable, signal: AbortSignal | undefined): Promise<Buffer> {
  const stop = (): void => void body.destroy(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await buffer(body);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

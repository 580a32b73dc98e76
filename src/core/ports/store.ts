import type { Readable } from "node:stream";

export interface ObjectInfo {
  /** Slash separated, relative to the store's root. */
  readonly key: string;
  readonly size: number;
  /** By the store's clock. Order is by this, never by name. */
  readonly storedAt: Date;
}

/**
 * Off-environment object storage. Objects are write-once: a key is created whole or not at all, and never changes.
 * Failures of the store itself have kind `store`.
 */
export interface ObjectStore {
  /** As configured, without credentials. */
  readonly url: string;
  /**
   * Creates an object from a stream. Resolves when it is durable and complete under its key. Rejects with kind
   * `check` when the key exists (nothing was changed) and leaves no object behind in every other failure and abort;
   * leftovers of a killed writer are invisible to `list` and `get`.
   */
  put(key: string, body: Readable | Uint8Array, signal?: AbortSignal): Promise<ObjectInfo>;
  /** Rejects with kind `store` when there is no such object. `offset` and `length` read a part of it. */
  get(key: string, range?: { offset: number; length: number }): Promise<Readable>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Every object under a prefix that ends in `/`, or everything for `""`. In no particular order. */
  list(prefix: string): Promise<readonly ObjectInfo[]>;
  /** No error when it is gone already. */
  delete(key: string): Promise<void>;
  /** The store's own clock. */
  now(): Promise<Date>;
}

import type { Readable } from "node:stream";
import type { DirectTransfer } from "./direct-transfer.ts";

export interface ObjectInfo {
  /** Slash separated, relative to the store's root. */
  readonly key: string;
  readonly size: number;
  /**
   * By the store's clock, on some stores to the second. Order is by this, never by name. When a `put` ended; of an
   * object that was sent in parts some stores tell when it was begun.
   */
  readonly storedAt: Date;
}

/** What was found out about a store by trying it. */
export interface StoreCapabilities {
  /**
   * True: of several puts of one key exactly one wins, on whatever computers they run. False: every put looks before
   * and after, which finds objects that are there already; but of two puts at the very same time both may be
   * believed, and then the later one stands.
   */
  readonly exclusiveCreate: boolean;
  /** The sum that the store itself compares with what arrived before it keeps it. `none`: the file system's word. */
  readonly checksum: "crc32" | "md5" | "none";
  /** In how many parts an object can be sent; undefined: it is not sent in parts. */
  readonly maxParts: number | undefined;
}

export interface LastCapabilities extends StoreCapabilities {
  /** By this computer's clock; undefined: it is in the nature of the store. */
  readonly foundAt: Date | undefined;
}

/**
 * Off-environment object storage. Objects are write-once: a key is created whole or not at all, and never changes.
 * Failures of the store itself have kind `store`, refusals and missing credentials too; a setting that is missing has kind
 * `config`.
 */
export interface ObjectStore {
  /** As configured, without credentials. */
  readonly url: string;
  /**
   * Creates an object from a stream. Resolves when it is durable and complete under its key. Rejects with kind
   * `check` when the key exists (nothing was changed) and leaves no object behind in every other failure and abort;
   * leftovers of a killed writer are invisible to `list` and `get`. Safe against a race as far as
   * `capabilities().exclusiveCreate` says.
   */
  put(key: string, body: Readable | Uint8Array, signal?: AbortSignal): Promise<ObjectInfo>;
  /**
   * Rejects with kind `store` when there is no such object. `offset` and `length` read a part of it. The stream ends
   * well only after every byte of it came; otherwise it fails with kind `store`.
   */
  get(key: string, range?: { offset: number; length: number }): Promise<Readable>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Every object under a prefix that ends in `/`, or everything for `""`. In no particular order, never in part. */
  list(prefix: string): Promise<readonly ObjectInfo[]>;
  /** No error when it is gone already. */
  delete(key: string): Promise<void>;
  /** The store's own clock, as exact as `storedAt`. */
  now(): Promise<Date>;
  /**
   * Found out at first use, which may write and delete small objects that `list` does not show, and remembered as
   * long as this process runs. `put` asks for them too.
   */
  capabilities(): Promise<StoreCapabilities>;
  /** What this computer found out last, without touching the store; undefined when it never did. */
  lastCapabilities(): Promise<LastCapabilities | undefined>;
  /**
   * Removes what killed writers left unfinished under a prefix that ends in `/`, and resolves with how many objects
   * that were. The caller holds the locks that keep every writer out of that prefix: nothing is spared for being
   * young, a writer that still runs fails. Idempotent; what was finished is never touched.
   */
  removeUnfinished(prefix: string): Promise<number>;
  /** Where others can be allowed to send and fetch bytes without credentials. */
  readonly direct?: DirectTransfer;
}

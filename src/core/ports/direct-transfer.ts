import type { Secret } from "../secret.ts";
import type { ObjectInfo } from "./store.ts";

/**
 * Transfer between a store and a machine that has no credentials: whoever has a signed URL may do that one thing until
 * it expires. A URL is a bearer token: never in an argv, a log or a file, but on the standard input of `curl -K -`.
 *
 * The machine cuts its stream into parts of `partSize(number)` bytes, the last one shorter, and asks for a URL per part
 * when it has the part; `curl -fsS -T part -D headers` sends it and the ETag of the answer comes back here. Parts may
 * be sent in any order and again. The stream's end is the caller's to prove: only then `complete`.
 */
export interface DirectTransfer {
  /** Begins an object. Rejects with kind `check` when the key exists. What is begun must be completed or aborted. */
  begin(key: string): Promise<DirectUpload>;
  /** Bytes of the part with this number; the last one may be shorter. Grows, so that `maxParts` suffice. */
  partSize(upload: DirectUpload, number: number): number;
  /**
   * A request that sends one part, with PUT, valid for `seconds` (default 900) from now. The store refuses a body of
   * another length and, when `md5` is given (base64), with another MD5 sum. The part's `number` counts from 1.
   */
  signPart(
    upload: DirectUpload,
    part: { readonly number: number; readonly size: number; readonly md5?: string },
    seconds?: number,
  ): Promise<SignedRequest>;
  /**
   * Makes the object of its parts, which are numbered from 1 without gaps, and resolves when the store shows it with the size
   * of all of them. Rejects with kind `check` when somebody else made the key meanwhile, and with kind `store` when the
   * store does not know a part by that ETag; the upload is aborted then and there is no object.
   */
  complete(upload: DirectUpload, parts: readonly SentPart[], signal?: AbortSignal): Promise<ObjectInfo>;
  /** Gives up an upload and all its parts. No error when it is gone already. First stop whoever still sends. */
  abort(upload: DirectUpload): Promise<void>;
  /** A request that fetches the object or a range of it, with GET, valid for `seconds` (default 900) from now. */
  signGet(key: string, range?: { offset: number; length: number }, seconds?: number): Promise<SignedRequest>;
}

/** A plain value, so that it can be kept in a journal; it grants nothing without credentials. */
export interface DirectUpload {
  readonly key: string;
  readonly id: string;
  /** Marks the object as this writer's. */
  readonly writer: string;
  /** In how many parts the object can be sent; see `partSize`. */
  readonly maxParts: number;
}

export interface SentPart {
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** As the store answered, quotes included or not. */
  readonly etag: string;
}

export interface SignedRequest {
  readonly url: Secret;
  /** To be sent exactly like this; they are part of what was signed. */
  readonly headers: Readonly<Record<string, string>>;
}

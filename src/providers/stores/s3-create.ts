import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ObjectInfo } from "../../core/ports/store.ts";
import type { S3Space } from "./s3-client.ts";
import { factsOf, s3Error } from "./s3-error.ts";
import { type FoundObject, findObject } from "./s3-object.ts";

/** What an object must look like to be the one that was just created. */
export interface Created {
  readonly key: string;
  readonly size: number;
  readonly writer: string;
  readonly signal: AbortSignal;
}

/** Rejects with kind `check` when the key is there: a look, which holds nobody back. */
export async function claim(space: S3Space, key: string, signal: AbortSignal): Promise<void> {
  const found = await findObject(space, key, signal).catch(async (error: unknown) => {
    throw await s3Error(error, `the store ${space.settings.url} does not say whether it has ${show(key)}`, space);
  });
  if (found !== undefined) throw taken(key);
}

/** The server refused to replace an object, or was just making one of that name. */
export function isTaken(error: unknown): boolean {
  const { status } = factsOf(error);
  return status === 412 || status === 409;
}

const taken = (key: string): SummitError =>
  new SummitError("check", `the store has ${show(key)} already, and objects are write-once`);

const CONFLICT_ATTEMPTS = 5;

/**
 * Runs the request that makes an object appear, and believes neither its success nor its failure: only a look at the
 * object counts. The request resolves with the ETag. An answer that got lost after the server had done its work is
 * found out this way, also when the SDK's second attempt then met our own object.
 */
export async function settle(
  space: S3Space,
  created: Created,
  request: () => Promise<string | undefined>,
): Promise<ObjectInfo> {
  for (let attempt = 1; ; attempt += 1) {
    const { etag, failure } = await request().then(
      (value) => ({ etag: value, failure: undefined }),
      (error: unknown) => ({ etag: undefined, failure: { error } }),
    );
    const found = await look(space, created, failure);
    const ours = found !== undefined && isOurs(found, created, etag);
    if (ours && found.size === created.size && !created.signal.aborted)
      return { key: found.key, size: found.size, storedAt: found.storedAt };
    if (ours) await remove(space, created.key);
    created.signal.throwIfAborted();
    if (ours) throw wrongSize(space, created, found);
    if (failure !== undefined && !isTaken(failure.error)) throw failure.error;
    if (found !== undefined) throw taken(created.key);
    // Somebody else's attempt was in the way and may have failed.
    const again = failure !== undefined && factsOf(failure.error).status === 409 && attempt < CONFLICT_ATTEMPTS;
    if (!again) throw notShown(space, created);
    await pause(attempt * 200);
  }
}

/** A few looks: some servers show an object a moment after they said that they have it. */
async function look(
  space: S3Space,
  { key, signal }: Created,
  failure: { readonly error: unknown } | undefined,
): Promise<FoundObject | undefined> {
  const cleanup = AbortSignal.timeout(space.timing.cleanup * 1000);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = await findObject(space, key, cleanup);
      if (found !== undefined || failure !== undefined || signal.aborted || attempt === 4) return found;
    } catch (error) {
      signal.throwIfAborted();
      // The first failure says more than that of the look after it.
      if (failure !== undefined && !isTaken(failure.error)) throw failure.error;
      throw await s3Error(error, `the store ${space.settings.url} does not say whether it has ${show(key)}`, space);
    }
    await pause(attempt * 250);
  }
}

const isOurs = ({ writer, etag }: FoundObject, created: Created, sent: string | undefined): boolean =>
  writer === undefined ? sent !== undefined && etag === sent : writer === created.writer;

async function remove({ client, bucket, nameOf, timing }: S3Space, key: string): Promise<void> {
  const abortSignal = AbortSignal.timeout(timing.cleanup * 1000);
  await client
    .send(new DeleteObjectCommand({ Bucket: bucket, Key: nameOf(key) }), { abortSignal })
    .catch(() => undefined);
}

const wrongSize = ({ settings }: S3Space, { key, size }: Created, found: FoundObject): SummitError =>
  new SummitError("store", `the store ${settings.url} holds ${found.size} bytes of ${show(key)}, ${size} were sent`, {
    hint: "run the same command again",
  });

const notShown = ({ settings }: S3Space, { key }: Created): SummitError =>
  new SummitError("store", `the store ${settings.url} said that it took ${show(key)}, and does not show it`, {
    hint: "run the same command again",
  });

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

import { Readable } from "node:stream";
import { DeleteObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ObjectInfo, ObjectStore } from "../../core/ports/store.ts";
import { checkedKey, checkedPrefix, isKey } from "./object-key.ts";
import { abortUploadsUnder } from "./s3-abort-upload.ts";
import { PROBE_PREFIX, probeCapabilities } from "./s3-capabilities.ts";
import { checkRegion, type S3Settings, type S3Space, type S3Timing, s3Space } from "./s3-client.ts";
import { s3Direct } from "./s3-direct.ts";
import { download } from "./s3-download.ts";
import { isMissing, s3Error } from "./s3-error.ts";
import type { S3Memory } from "./s3-memory.ts";
import { findObject, tryBucket } from "./s3-object.ts";
import { S3Upload } from "./s3-upload.ts";

export interface S3Options {
  readonly timing?: Partial<S3Timing>;
  /** Absent: nothing is kept of what was found out. */
  readonly memory?: S3Memory;
}

/** A bucket, or a prefix in it, as a store: of AWS or of a server that speaks its language. */
export function s3Store(settings: S3Settings, { timing = {}, memory }: S3Options = {}): ObjectStore {
  const space = s3Space(settings, timing);
  const { url } = settings;
  const region = onceGood(() => checkRegion(space));
  const bucket = onceGood(() => tryBucket(space));
  const capabilities = onceGood(async () => {
    const found = await probeCapabilities(space);
    await memory?.write(found);
    return found;
  });

  async function told<T>(message: string, request: () => Promise<T>): Promise<T> {
    try {
      await region();
      return await request();
    } catch (error) {
      throw await s3Error(error, message, space);
    }
  }

  return {
    url,

    async put(key, body, signal) {
      try {
        checkedKey(key);
        signal?.throwIfAborted();
        return await new S3Upload(space, await capabilities(), key, signal).run(body);
      } catch (error) {
        if (body instanceof Readable) body.destroy();
        // The abort's own reason says more than the SDK's AbortError.
        if (signal?.aborted) throw signal.reason;
        throw error;
      }
    },

    async get(key, range) {
      checkedKey(key);
      await region();
      // No range of HTTP is empty.
      if (range?.length !== 0) return await download(space, key, range);
      return (await download(space, key, { offset: 0, length: 1 })).destroy() && Readable.from([]);
    },

    async head(key) {
      checkedKey(key);
      return await told(`the store ${url} does not say whether it has ${show(key)}`, async () => {
        const found = await findObject(space, key);
        // A bucket that is missing answers to HEAD like an object that is.
        if (found === undefined) await bucket();
        return found === undefined ? undefined : { key, size: found.size, storedAt: found.storedAt };
      });
    },

    async list(prefix) {
      checkedPrefix(prefix);
      return await told(`the store ${url} cannot be listed`, () => listAll(space, prefix));
    },

    async delete(key) {
      checkedKey(key);
      await told(`the store ${url} did not delete ${show(key)}`, async () => {
        const target = { Bucket: space.bucket, Key: space.nameOf(key) };
        await space.client.send(new DeleteObjectCommand(target)).catch(async (error: unknown) => {
          if (!isMissing(error)) throw error;
          await bucket();
        });
      });
    },

    async now() {
      return await told(`the store ${url} cannot be reached`, () => serverTime(space));
    },

    async capabilities() {
      const { exclusiveCreate, checksum, maxParts } = await capabilities();
      return { exclusiveCreate, checksum, maxParts };
    },

    lastCapabilities: async () => await memory?.read(),

    async removeUnfinished(prefix) {
      checkedPrefix(prefix);
      return await told(`the store ${url} did not remove what was left unfinished`, () =>
        abortUploadsUnder(space, prefix),
      );
    },

    direct: s3Direct(space, capabilities),
  };
}

async function listAll(space: S3Space, prefix: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await space.client.send(
      new ListObjectsV2Command({
        Bucket: space.bucket,
        Prefix: space.nameOf(prefix),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    for (const { Key = "", Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
      const key = Key.slice(space.nameOf("").length);
      // What others put into the bucket and no key can name is not an object; nor is what tries the server out.
      if (isKey(key) && !key.startsWith(PROBE_PREFIX)) found.push({ key, size: Size, storedAt: LastModified });
    }
    const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && (next === undefined || next === token))
      throw new SummitError(
        "store",
        `the store ${space.settings.url} lists a part of its objects, and not how to go on`,
        {
          hint: "summitctl doctor",
        },
      );
    token = next;
  } while (token !== undefined);
  return found;
}

/** Of the Date header, which every answer has. */
async function serverTime(space: S3Space): Promise<Date> {
  let date: string | undefined;
  const command = new ListObjectsV2Command({ Bucket: space.bucket, Prefix: space.nameOf(""), MaxKeys: 1 });
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = (result.response as { headers?: Record<string, string> }).headers?.["date"];
      return result;
    },
    { step: "deserialize", priority: "low" },
  );
  await space.client.send(command);
  const time = new Date(date ?? Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new SummitError("store", `the store ${space.settings.url} does not tell the time`, {
      hint: "summitctl doctor",
    });
  return time;
}

/** Remembers what succeeded; what failed is tried again. */
function onceGood<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => {
    made ??= make();
    return await made.catch((error: unknown) => {
      made = undefined;
      throw error;
    });
  };
}

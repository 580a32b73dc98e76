import { HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { ObjectInfo } from "../../core/ports/store.ts";
import type { S3Settings, S3Space } from "./s3-client.ts";
import { factsOf, isMissing } from "./s3-error.ts";

/** Name of the metadata that marks an object as one writer's; S3 knows no other way to tell one's own from another's. */
const WRITER = "summitctl-writer";

export const writerMark = (writer: string) => ({ Metadata: { [WRITER]: writer } });

/** How the store is to encrypt and keep an object. */
export const encryptionOf = ({ encryption }: S3Settings) =>
  encryption === undefined
    ? {}
    : {
        ServerSideEncryption: encryption.algorithm,
        ...(encryption.key === undefined ? {} : { SSEKMSKeyId: encryption.key }),
      };

export const keepingOf = (settings: S3Settings) => ({
  ...encryptionOf(settings),
  ...(settings.storageClass === undefined ? {} : { StorageClass: settings.storageClass as "STANDARD_IA" }),
});

export interface FoundObject extends ObjectInfo {
  readonly etag: string | undefined;
  readonly writer: string | undefined;
}

/** Undefined when there is no such object. Throws the SDK's errors. */
export async function findObject(space: S3Space, key: string, signal?: AbortSignal): Promise<FoundObject | undefined> {
  try {
    const head = await space.client.send(
      new HeadObjectCommand({ Bucket: space.bucket, Key: space.nameOf(key) }),
      aborted(signal),
    );
    return foundObject(key, head);
  } catch (error) {
    if (factsOf(error).name === "AbortError") throw error;
    if (!isMissing(error)) await tellReason(space, signal);
    if (!isMissing(error)) throw error;
    return undefined;
  }
}

function foundObject(key: string, { ContentLength, LastModified, ETag, Metadata }: HeadObjectCommandOutput) {
  return {
    key,
    size: ContentLength ?? 0,
    storedAt: LastModified ?? new Date(0),
    etag: ETag,
    writer: Metadata?.[WRITER],
  };
}

/** The answer to a HEAD has no body, so it cannot say why it is refused; that to a listing can, and throws it. */
const tellReason = (space: S3Space, signal: AbortSignal | undefined): Promise<unknown> => tryBucket(space, signal);

/** Asks for one name of the store's. Throws the SDK's error when the bucket is missing or refuses. */
export const tryBucket = (space: S3Space, signal?: AbortSignal) =>
  space.client.send(
    new ListObjectsV2Command({ Bucket: space.bucket, Prefix: space.nameOf(""), MaxKeys: 1 }),
    aborted(signal),
  );

export const aborted = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

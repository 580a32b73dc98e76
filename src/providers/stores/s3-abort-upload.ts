import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import type { S3Space } from "./s3-client.ts";
import { isMissing } from "./s3-error.ts";

/** Best effort, for a while, also after an abort: what stays is removed by `removeUnfinished` of the next run. */
export async function abortUpload(
  { client, timing }: S3Space,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
): Promise<void> {
  const abortSignal = AbortSignal.timeout(timing.cleanup * 1000);
  await client.send(new AbortMultipartUploadCommand(upload), { abortSignal }).catch(() => undefined);
}

/** Aborts every upload under a prefix of the store's and says how many there were. Throws the SDK's errors. */
export async function abortUploadsUnder({ client, bucket, nameOf }: S3Space, prefix: string): Promise<number> {
  const found: { Key: string; UploadId: string }[] = [];
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const page: ListedUploads = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: nameOf(prefix), ...marker }),
    );
    // Some servers take the prefix for a hint.
    for (const { Key, UploadId } of page.Uploads ?? [])
      if (Key?.startsWith(nameOf(prefix)) && UploadId !== undefined) found.push({ Key, UploadId });
    marker =
      page.IsTruncated === true && page.NextKeyMarker
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextUploadIdMarker ? { UploadIdMarker: page.NextUploadIdMarker } : {}),
          }
        : undefined;
  }
  for (const upload of found) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, ...upload })).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
  return found.length;
}

interface ListedUploads {
  readonly Uploads?:
    | readonly { readonly Key?: string | undefined; readonly UploadId?: string | undefined }[]
    | undefined;
  readonly IsTruncated?: boolean | undefined;
  readonly NextKeyMarker?: string | undefined;
  readonly NextUploadIdMarker?: string | undefined;
}

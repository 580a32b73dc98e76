import { randomUUID } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { DirectTransfer, DirectUpload, SentPart } from "../../core/ports/direct-transfer.ts";
import { Secret } from "../../core/secret.ts";
import { checkedKey } from "./object-key.ts";
import { partSize } from "./part-size.ts";
import { abortUpload } from "./s3-abort-upload.ts";
import type { S3Capabilities } from "./s3-capabilities.ts";
import { checkRegion, type S3Space } from "./s3-client.ts";
import { claim, isTaken, settle } from "./s3-create.ts";
import { s3Error } from "./s3-error.ts";
import { aborted, keepingOf, writerMark } from "./s3-object.ts";

/** Seconds that a signed URL is valid: a part on a slow link, with curl's own retries. */
const VALID = 900;

const ETAG = /^"?[A-Za-z0-9+/=_-]{1,200}"?$/;

/** Signs what a machine without credentials may do; see the port. */
export function s3Direct(space: S3Space, capabilities: () => Promise<S3Capabilities>): DirectTransfer {
  const { client, bucket, nameOf, settings } = space;
  const target = (key: string) => ({ Bucket: bucket, Key: nameOf(checkedKey(key)) });
  const uploadOf = ({ key, id }: DirectUpload) => ({ ...target(key), UploadId: id });
  const told = async (error: unknown, what: string) => await s3Error(error, `the store ${settings.url} ${what}`, space);

  return {
    async begin(key) {
      const { maxParts } = await capabilities();
      await claim(space, checkedKey(key), AbortSignal.timeout(60_000));
      const writer = randomUUID();
      try {
        const { UploadId } = await client.send(
          // No sums of the SDK's: a sum that the upload announces is demanded of every part.
          new CreateMultipartUploadCommand({ ...target(key), ...keepingOf(settings), ...writerMark(writer) }),
        );
        return { key, id: UploadId ?? "", writer, maxParts };
      } catch (error) {
        throw await told(error, `did not begin ${show(key)}`);
      }
    },

    partSize: ({ maxParts }, number) => partSize(number, maxParts),

    async signPart(upload, { number, size, md5 }, seconds = VALID) {
      if (!Number.isInteger(number) || number < 1 || number > upload.maxParts)
        throw new SummitError("store", `a part's number is 1 to ${upload.maxParts} in the store ${settings.url}`, {
          hint: "use a store without that limit, such as AWS, or split the database",
        });
      const command = new UploadPartCommand({
        ...uploadOf(upload),
        PartNumber: number,
        ContentLength: size,
        ...(md5 === undefined ? {} : { ContentMD5: md5 }),
      });
      try {
        // The presigner signs the length and the sum as headers, so that the server compares what is sent as one.
        const url = await getSignedUrl(client, command, { expiresIn: seconds });
        return { url: new Secret(url), headers: md5 === undefined ? {} : { "Content-MD5": md5 } };
      } catch (error) {
        throw await told(error, `signed nothing for ${show(upload.key)}`);
      }
    },

    async complete(upload, parts, signal) {
      const { condition } = await capabilities();
      const stop = signal ?? new AbortController().signal;
      try {
        checkParts(upload, parts);
        if (!condition.complete) await claim(space, upload.key, stop);
        const size = parts.reduce((sum, part) => sum + part.size, 0);
        return await settle(space, { key: upload.key, size, writer: upload.writer, signal: stop }, async () => {
          const command = new CompleteMultipartUploadCommand({
            ...uploadOf(upload),
            ...(condition.complete ? { IfNoneMatch: "*" } : {}),
            MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
          });
          const { ETag } = await client.send(command, aborted(stop)).catch(async (error: unknown) => {
            throw isTaken(error) ? error : await told(error, `did not take ${show(upload.key)}`);
          });
          return ETag;
        });
      } catch (error) {
        await abortUpload(space, uploadOf(upload));
        if (stop.aborted) throw stop.reason;
        throw error;
      }
    },

    abort: (upload) => abortUpload(space, uploadOf(upload)),

    async signGet(key, range, seconds = VALID) {
      await checkRegion(space);
      const bytes = range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
      const command = new GetObjectCommand({ ...target(key), ...bytes });
      try {
        const url = await getSignedUrl(client, command, { expiresIn: seconds });
        return { url: new Secret(url), headers: range === undefined ? {} : { Range: bytes.Range ?? "" } };
      } catch (error) {
        throw await told(error, `signed nothing for ${show(key)}`);
      }
    },
  };
}

/** ETags come from a machine: they are data until they look like ETags. */
function checkParts({ key, maxParts }: DirectUpload, parts: readonly SentPart[]): void {
  const wrong = parts.findIndex(({ number, etag }, index) => number !== index + 1 || !ETAG.test(etag));
  if (parts.length > 0 && parts.length <= maxParts && wrong === -1) return;
  const what = wrong === -1 ? `${parts.length} parts` : `part ${wrong + 1}`;
  throw new SummitError(
    "store",
    `${show(key)} cannot be made of ${what}: expected 1 to ${maxParts}, each with its ETag`,
    {
      hint: "run the same command again",
    },
  );
}

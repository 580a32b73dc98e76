import { randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { StoreCapabilities } from "../../core/ports/store.ts";
import { AWS_MAX_PARTS } from "./part-size.ts";
import { checkRegion, type S3Space } from "./s3-client.ts";
import { factsOf, s3Error } from "./s3-error.ts";
import { encryptionOf } from "./s3-object.ts";

/** Objects that only try the server out; never listed. */
export const PROBE_PREFIX = "_probe/";

export interface S3Capabilities extends StoreCapabilities {
  readonly maxParts: number;
  /** What to send so that a server that honours it refuses a key that exists; servers that do not may fail at it. */
  readonly condition: { readonly put: boolean; readonly complete: boolean };
}

/** Part limits of servers that have one, the most first. */
const PART_LIMITS = [AWS_MAX_PARTS, 1000, 100] as const;

const BODY = Buffer.from("summitctl tries this store out; this can be deleted\n");
const WRONG_CRC32 = "AAAAAA==";
/** Of nothing. */
const WRONG_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg==";

/**
 * Finds out what the server honours and not only accepts, by an object of its own: what must be refused is refused.
 * Leaves nothing where deleting is allowed.
 */
export async function probeCapabilities(space: S3Space): Promise<S3Capabilities> {
  await checkRegion(space);
  const target = { Bucket: space.bucket, Key: space.nameOf(PROBE_PREFIX + randomBytes(12).toString("hex")) };
  const probe = new Probe(space, target);
  try {
    return await probe.run();
  } catch (error) {
    throw await s3Error(error, `the store ${space.settings.url} does not take objects`, space);
  } finally {
    await space.client.send(new DeleteObjectCommand(target)).catch(() => undefined);
  }
}

class Probe {
  readonly #space: S3Space;
  readonly #target: { Bucket: string; Key: string };

  constructor(space: S3Space, target: { Bucket: string; Key: string }) {
    this.#space = space;
    this.#target = target;
  }

  async run(): Promise<S3Capabilities> {
    const { client, settings } = this.#space;
    const whole = { ...this.#target, Body: BODY, ...encryptionOf(settings) };
    const put = (more: object) => client.send(new PutObjectCommand({ ...whole, ...more }));
    // What is right must be taken before a refusal of what is wrong means anything.
    await put({});
    const putCondition = await isRefused(put({ IfNoneMatch: "*" }), TAKEN);
    const checksum = (await isRefused(put({ ChecksumCRC32: WRONG_CRC32 }), DAMAGED))
      ? "crc32"
      : (await isRefused(put({ ContentMD5: WRONG_MD5 }), DAMAGED))
        ? "md5"
        : "none";
    const { maxParts, condition } = await this.#parts();
    return {
      exclusiveCreate: putCondition && condition,
      checksum,
      maxParts,
      condition: { put: putCondition, complete: condition },
    };
  }

  async #parts(): Promise<{ maxParts: number; condition: boolean }> {
    const { client, settings } = this.#space;
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...this.#target, ...encryptionOf(settings) }),
    );
    const upload = { ...this.#target, UploadId };
    try {
      const send = (PartNumber: number) => client.send(new UploadPartCommand({ ...upload, PartNumber, Body: BODY }));
      const { ETag } = await send(1);
      const maxParts = await this.#firstTaken(send);
      const complete = new CompleteMultipartUploadCommand({
        ...upload,
        IfNoneMatch: "*",
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      });
      return { maxParts, condition: await isRefused(client.send(complete), TAKEN) };
    } finally {
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    }
  }

  async #firstTaken(send: (number: number) => Promise<unknown>): Promise<number> {
    for (const limit of PART_LIMITS) if (!(await isRefused(send(limit), REFUSED))) return limit;
    return 1;
  }
}

/** A request that came through means no, one of these answers yes, everything else is a failure. */
async function isRefused(request: Promise<unknown>, statuses: readonly number[]): Promise<boolean> {
  try {
    await request;
    return false;
  } catch (error) {
    const { status } = factsOf(error);
    // Not implemented, and said so.
    if (status === 501) return false;
    if (status !== undefined && statuses.includes(status)) return true;
    throw error;
  }
}

const TAKEN = [409, 412];
const DAMAGED = [400];
const REFUSED = [400];

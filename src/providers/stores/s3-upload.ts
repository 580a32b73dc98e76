import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ObjectInfo } from "../../core/ports/store.ts";
import { type Part, PartReader } from "./part-reader.ts";
import { FIRST_PART_SIZE, partSize } from "./part-size.ts";
import { abortUpload } from "./s3-abort-upload.ts";
import type { S3Capabilities } from "./s3-capabilities.ts";
import type { S3Space } from "./s3-client.ts";
import { type Created, claim, isTaken, settle } from "./s3-create.ts";
import { factsOf, s3Error } from "./s3-error.ts";
import { aborted, keepingOf, writerMark } from "./s3-object.ts";
import { sumOf } from "./s3-sums.ts";

/** What the server may be told again after the bytes were damaged on the way; the SDK tries again only what was lost. */
const DAMAGED_ATTEMPTS = 3;

/**
 * Creates one object of a body of any length, of which at most two parts are in memory: one that is being sent and one
 * that is being filled.
 */
export class S3Upload {
  readonly #space: S3Space;
  readonly #can: S3Capabilities;
  readonly #key: string;
  readonly #writer = randomUUID();
  /** The caller's abort, or our own once a part or the body has failed. */
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;

  constructor(space: S3Space, can: S3Capabilities, key: string, signal: AbortSignal | undefined) {
    this.#space = space;
    this.#can = can;
    this.#key = key;
    this.#signal = AbortSignal.any([this.#stopped.signal, ...(signal === undefined ? [] : [signal])]);
  }

  async run(body: Readable | Uint8Array): Promise<ObjectInfo> {
    const parts = new PartReader(body);
    const stop = (): void => void (body instanceof Readable && body.destroy());
    this.#signal.addEventListener("abort", stop, { once: true });
    try {
      const first = await parts.read(FIRST_PART_SIZE);
      this.#signal.throwIfAborted();
      return first.last ? await this.#whole(first.bytes) : await this.#inParts(first, parts);
    } finally {
      this.#signal.removeEventListener("abort", stop);
      stop();
    }
  }

  async #whole(bytes: Buffer): Promise<ObjectInfo> {
    if (!this.#can.condition.put) await claim(this.#space, this.#key, this.#signal);
    return await settle(this.#space, this.#created(bytes.length), async () => {
      const { ETag } = await this.#told(
        () =>
          this.#space.client.send(
            new PutObjectCommand({
              ...this.#target(),
              ...keepingOf(this.#space.settings),
              ...writerMark(this.#writer),
              ...sumOf(bytes, this.#can.checksum),
              ...(this.#can.condition.put ? { IfNoneMatch: "*" } : {}),
              Body: bytes,
            }),
            aborted(this.#signal),
          ),
        isTaken,
      );
      return ETag;
    });
  }

  async #inParts(first: Part, parts: PartReader): Promise<ObjectInfo> {
    // So that a key that is there is told before all of the body was sent.
    await claim(this.#space, this.#key, this.#signal);
    const { UploadId } = await this.#told(() =>
      this.#space.client.send(
        new CreateMultipartUploadCommand({
          ...this.#target(),
          ...keepingOf(this.#space.settings),
          ...writerMark(this.#writer),
          ...(this.#can.checksum === "crc32" ? { ChecksumAlgorithm: "CRC32" } : {}),
        }),
        aborted(this.#signal),
      ),
    );
    const upload = { ...this.#target(), UploadId };
    try {
      const { sent, size } = await this.#sendAll(upload, first, parts);
      if (!this.#can.condition.complete) await claim(this.#space, this.#key, this.#signal);
      this.#signal.throwIfAborted();
      return await settle(this.#space, this.#created(size), async () => {
        const { ETag } = await this.#told(
          () =>
            this.#space.client.send(
              new CompleteMultipartUploadCommand({
                ...upload,
                ...(this.#can.condition.complete ? { IfNoneMatch: "*" } : {}),
                MultipartUpload: { Parts: sent },
              }),
              aborted(this.#signal),
            ),
          isTaken,
        );
        return ETag;
      });
    } catch (error) {
      await abortUpload(this.#space, upload);
      throw error;
    }
  }

  async #sendAll(upload: Upload, first: Part, parts: PartReader): Promise<{ sent: SentPart[]; size: number }> {
    const sent: SentPart[] = [];
    let size = 0;
    let part = first;
    for (let number = 1; ; number += 1) {
      if (number > this.#can.maxParts) throw this.#tooBig();
      const [done, next] = await this.#both(
        this.#send(upload, number, part.bytes),
        part.last ? undefined : parts.read(partSize(number + 1, this.#can.maxParts)),
      );
      sent.push(done);
      size += part.bytes.length;
      parts.release(part);
      if (next === undefined || (next.last && next.bytes.length === 0)) return { sent, size };
      part = next;
    }
  }

  /** When one fails the other is stopped and waited for, so that nothing is sent any more afterwards. */
  async #both<A, B>(sending: Promise<A>, reading: Promise<B> | undefined): Promise<[A, B | undefined]> {
    try {
      return await Promise.all([sending, reading]);
    } catch (error) {
      this.#stopped.abort(error);
      await Promise.allSettled([sending, reading]);
      throw error;
    }
  }

  async #send(upload: Upload, number: number, bytes: Buffer): Promise<SentPart> {
    const sum = sumOf(bytes, this.#can.checksum);
    const { ETag, ChecksumCRC32 } = await this.#told(() =>
      this.#space.client.send(
        new UploadPartCommand({ ...upload, ...sum, PartNumber: number, Body: bytes }),
        aborted(this.#signal),
      ),
    );
    return { PartNumber: number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
  }

  /** Sends again what was damaged on the way, and says failures in the words of the store. */
  async #told<T>(request: () => Promise<T>, isAnswer: (error: unknown) => boolean = () => false): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request();
      } catch (error) {
        if (DAMAGED.has(factsOf(error).name) && attempt < DAMAGED_ATTEMPTS) continue;
        if (isAnswer(error)) throw error;
        throw await s3Error(
          error,
          `the store ${this.#space.settings.url} did not take ${show(this.#key)}`,
          this.#space,
        );
      }
    }
  }

  #target() {
    return { Bucket: this.#space.bucket, Key: this.#space.nameOf(this.#key) };
  }

  #created(size: number): Created {
    return { key: this.#key, size, writer: this.#writer, signal: this.#signal };
  }

  #tooBig(): SummitError {
    return new SummitError(
      "store",
      `${show(this.#key)} has more than the ${this.#can.maxParts} parts that the store ${this.#space.settings.url} takes`,
      { hint: "use a store without that limit, such as AWS, or split the database" },
    );
  }
}

const DAMAGED: ReadonlySet<string> = new Set(["BadDigest", "XAmzContentSHA256Mismatch"]);

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumCRC32?: string;
}

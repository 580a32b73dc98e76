import { Readable } from "node:stream";
import { GetObjectCommand, type GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { S3Space } from "./s3-client.ts";
import { factsOf, s3Error } from "./s3-error.ts";

export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** Cuts in a row, without a byte between them, after which a download has failed. */
const IDLE_CUTS = 4;

/**
 * The bytes of an object, or of a range of it. A connection that is cut or goes silent is replaced by one that goes on
 * where it ended, on the same version of the object; the stream ends well only after the last byte.
 */
export async function download(space: S3Space, key: string, range: Range | undefined): Promise<Readable> {
  const message = `the store ${space.settings.url} has no readable ${show(key)}`;
  const told = async (error: unknown) => await s3Error(error, message, space);
  const first = await request(space, key, range, undefined).catch(async (error: unknown) => {
    // A range that begins at the end or behind it.
    if (range !== undefined && factsOf(error).status === 416) return undefined;
    throw await told(error);
  });
  if (first === undefined) return Readable.from([]);
  const end = endOf(first, range);
  if (end === undefined) {
    (first.Body as Readable).destroy();
    throw new SummitError("store", `${message}: its answer does not say how long it is`, { hint: "summitctl doctor" });
  }
  return Readable.from(bytes({ space, key, etag: first.ETag, told }, first, end), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
}

interface Source {
  readonly space: S3Space;
  readonly key: string;
  readonly etag: string | undefined;
  told(error: unknown): Promise<unknown>;
}

/** First and one past the last byte within the object; undefined when the answer is not what was asked for. */
function endOf(
  { ContentRange, ContentLength }: GetObjectCommandOutput,
  range: Range | undefined,
): { start: number; end: number } | undefined {
  if (range === undefined) return ContentLength === undefined ? undefined : { start: 0, end: ContentLength };
  const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? "") ?? [];
  const end = Math.min(range.offset + range.length, Number(total));
  return Number(start) === range.offset && Number(last) + 1 === end ? { start: range.offset, end } : undefined;
}

async function* bytes(
  source: Source,
  first: GetObjectCommandOutput,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Buffer> {
  let at = start;
  let answer: GetObjectCommandOutput | undefined = first;
  let cuts = 0;
  while (at < end) {
    let body: Readable | undefined;
    try {
      answer ??= await request(source.space, source.key, { offset: at, length: end - at }, source.etag);
      body = answer.Body as Readable;
      answer = undefined;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const rest = chunk.subarray(0, end - at);
        at += rest.length;
        cuts = 0;
        yield rest;
      }
    } catch (error) {
      // Answers of the server were tried again by the SDK; a stream that broke has none.
      if (factsOf(error).status !== undefined || cuts === IDLE_CUTS) throw await source.told(error);
    } finally {
      body?.destroy();
    }
    cuts += 1;
    if (at < end && cuts > IDLE_CUTS)
      throw new SummitError(
        "store",
        `the store ${source.space.settings.url} sent ${at - start} of ${end - start} bytes of ${show(source.key)}`,
        { hint: "run the same command again" },
      );
  }
}

const request = async (
  { client, bucket, nameOf }: S3Space,
  key: string,
  range: Range | undefined,
  etag: string | undefined,
): Promise<GetObjectCommandOutput> =>
  await client.send(
    new GetObjectCommand({
      Bucket: bucket,
      Key: nameOf(key),
      ...(range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
      ...(etag === undefined ? {} : { IfMatch: etag }),
    }),
  );

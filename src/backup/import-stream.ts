import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import { compressArgv } from "./dump-line.ts";
import { type FilterProcess, startFilter } from "./filter-process.ts";
import { findDecoder } from "./find-decoder.ts";
import { ArchiveWatch } from "./import-archive.ts";
import type { ImportFile } from "./import-file.ts";
import { contentOf, type DumpContent, type Packing } from "./import-form.ts";
import { type DumpOrigin, type DumpWatch, TextWatch } from "./import-text.ts";
import type { Compression } from "./manifest.ts";
import { StoredMeter } from "./stored-meter.ts";

const HEAD = 64 * 1024;

/** What is known of a dump once all of it went by. */
export interface Imported {
  readonly origin: DumpOrigin;
  readonly plain: { readonly bytes: number; readonly sha256: string };
  readonly stored: ReturnType<StoredMeter["measure"]>;
}

/** Measures what is unpacked, and looks whether it is a whole dump. */
class PlainWatch {
  #bytes = 0;
  readonly #hash = createHash("sha256");
  readonly #dump: DumpWatch;

  constructor(content: DumpContent) {
    this.#dump = content === "archive" ? new ArchiveWatch() : new TextWatch();
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
    this.#dump.add(chunk);
  }

  end(): Omit<Imported, "stored"> {
    return { origin: this.#dump.end(), plain: { bytes: this.#bytes, sha256: this.#hash.digest("hex") } };
  }
}

/** What a file is a dump of, by the beginning of what is unpacked. Throws as `contentOf`, and for what is cut there. */
export async function peekContent(file: ImportFile, packing: Packing): Promise<DumpContent> {
  const taken: Buffer[] = [];
  let size = 0;
  for await (const chunk of unpacked(file.peek(), packing)) {
    taken.push(chunk);
    size += chunk.length;
    if (size >= HEAD) break;
  }
  return contentOf(Buffer.concat(taken).subarray(0, HEAD));
}

async function* unpacked(source: AsyncGenerator<Buffer>, packing: Packing): AsyncGenerator<Buffer> {
  if (packing === "gzip") yield* gunzipped(source);
  else if (packing === "plain") yield* source;
  else {
    await using decoder = startFilter(await findDecoder(packing), UNPACKING);
    const feeding = feed(source, decoder, () => undefined);
    feeding.catch(() => undefined);
    for await (const chunk of decoder.output) yield chunk as Buffer;
    await feeding;
    await decoder.ended();
  }
}

/** How an imported file is stored: as it is where that is a format of ours. */
export const compressionOf = (packing: Packing): Compression => (packing === "zstd" ? "zstd" : "bzip2");

export interface ImportStream {
  /** What is to be stored. It ends well only after all of it was found to be a whole dump. */
  readonly body: Readable;
  /** Once the body has ended. */
  result(): Imported;
}

/** Reads a dump, unpacks it, looks at it, and packs it anew where its packing is not ours. */
export function importStream(
  file: ImportFile,
  { packing, content }: { packing: Packing; content: DumpContent },
  onBytes: (bytes: number) => void,
): ImportStream {
  const meter = new StoredMeter();
  const watch = new PlainWatch(content);
  let result: Imported | undefined;
  async function* body(): AsyncGenerator<Buffer> {
    const source = file.read(onBytes);
    const kept = packing === "bzip2" || packing === "zstd";
    for await (const chunk of kept ? asItIs(source, packing, watch) : packed(source, packing, watch)) {
      meter.add(chunk);
      yield chunk;
    }
    result = { ...watch.end(), stored: meter.measure() };
  }
  return {
    body: Readable.from(body(), { objectMode: false }),
    result: () => result ?? unfinished(),
  };
}

function unfinished(): never {
  throw new SummitError("unexpected", "the dump was not read to its end");
}

const UNPACKING = "the file cannot be unpacked, it is cut or damaged";

/** Hands the file's own bytes on, and unpacks them beside that. */
async function* asItIs(
  source: AsyncGenerator<Buffer>,
  packing: Compression,
  watch: PlainWatch,
): AsyncGenerator<Buffer> {
  await using decoder = startFilter(await findDecoder(packing), UNPACKING);
  let failure: unknown;
  const watching = watchAll(decoder, watch).catch((error: unknown) => {
    failure = error;
  });
  for await (const chunk of source) {
    if (failure !== undefined) break;
    await decoder.write(chunk);
    yield chunk;
  }
  decoder.endInput();
  await watching;
  // What was found wrong with its content stopped it; that says more than how it ended.
  if (failure !== undefined) throw failure;
  await decoder.ended();
}

async function watchAll({ output }: FilterProcess, watch: PlainWatch): Promise<void> {
  for await (const chunk of output) watch.add(chunk as Buffer);
}

/** Unpacks what is gzip, and packs it with bzip2. */
async function* packed(source: AsyncGenerator<Buffer>, packing: Packing, watch: PlainWatch): AsyncGenerator<Buffer> {
  const [program] = await findDecoder("bzip2");
  await using compressor = startFilter(compressArgv(program === "lbzip2" ? "lbzip2" : "bzip2"), "it cannot be packed");
  let failure: unknown;
  const feeding = feed(packing === "gzip" ? gunzipped(source) : source, compressor, (chunk) => watch.add(chunk)).catch(
    (error: unknown) => {
      failure = error;
      compressor.endInput();
    },
  );
  for await (const chunk of compressor.output) {
    if (failure !== undefined) break;
    yield chunk as Buffer;
  }
  await feeding;
  if (failure !== undefined) throw failure;
  await compressor.ended();
}

async function feed(
  source: AsyncIterable<Buffer>,
  program: FilterProcess,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  for await (const chunk of source) {
    onChunk(chunk);
    await program.write(chunk);
  }
  program.endInput();
}

async function* gunzipped(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const input = Readable.from(source, { objectMode: false });
  const gunzip = createGunzip();
  input.once("error", (error) => gunzip.destroy(error));
  try {
    for await (const chunk of input.pipe(gunzip)) yield chunk as Buffer;
  } catch (error) {
    throw isSummitError(error) ? error : new SummitError("verification", `${UNPACKING}: ${messageOf(error)}`);
  } finally {
    input.destroy();
  }
}

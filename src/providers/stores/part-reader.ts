import { Readable } from "node:stream";

export interface Part {
  readonly bytes: Buffer;
  /** It is the last one; it may be short or empty. */
  readonly last: boolean;
}

const FIRST_BUFFER = 256 * 1024;

/** Cuts a body into parts, each in one piece of memory. The body's own failure is thrown as it is. */
export class PartReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  /** Memory of parts that were sent, for the ones to come: new memory for each would wait for the garbage collector. */
  readonly #spare: Buffer[] = [];

  constructor(body: Readable | Uint8Array) {
    this.#chunks = chunksOf(body);
  }

  async read(size: number): Promise<Part> {
    // Most objects are small: memory for a whole part is taken only where there is one.
    let buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(Math.min(size, FIRST_BUFFER));
    let filled = 0;
    while (filled < size) {
      if (this.#rest.length === 0 && !(await this.#more())) break;
      if (filled === buffer.length) buffer = grown(buffer, size);
      const taken = this.#rest.subarray(0, Math.min(size, buffer.length) - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return { bytes: buffer.subarray(0, filled), last: this.#ended };
  }

  /** The part was sent, and nobody reads its bytes any more. */
  release({ bytes }: Part): void {
    this.#spare.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.buffer.byteLength));
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done === true) this.#ended = true;
    else this.#rest = value;
    return !this.#ended;
  }
}

/** At once to all that may come: memory that is not written to costs nothing. */
const grown = (buffer: Buffer, size: number): Buffer => {
  const bigger = Buffer.allocUnsafeSlow(size);
  bigger.set(buffer);
  return bigger;
};

function chunksOf(body: Readable | Uint8Array): AsyncIterator<Uint8Array> {
  if (body instanceof Readable) return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  return Readable.from([body])[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
}

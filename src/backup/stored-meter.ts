import { createHash } from "node:crypto";
import { PART_SIZE } from "./manifest.ts";

export interface StoredMeasure {
  readonly bytes: number;
  readonly sha256: string;
  readonly partSize: number;
  readonly parts: readonly string[];
}

/** Measures what is stored while it flows: count, hash of all, hash of each part. */
export class StoredMeter {
  bytes = 0;
  readonly #whole = createHash("sha256");
  readonly #parts: string[] = [];
  #part = createHash("sha256");
  #inPart = 0;

  add(chunk: Uint8Array): void {
    this.#whole.update(chunk);
    this.bytes += chunk.length;
    for (let rest = chunk; rest.length > 0; ) {
      const piece = rest.subarray(0, PART_SIZE - this.#inPart);
      this.#part.update(piece);
      this.#inPart += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#inPart === PART_SIZE) {
        this.#parts.push(this.#part.digest("hex"));
        this.#part = createHash("sha256");
        this.#inPart = 0;
      }
    }
  }

  measure(): StoredMeasure {
    const last = this.#inPart > 0 ? [this.#part.copy().digest("hex")] : [];
    return {
      bytes: this.bytes,
      sha256: this.#whole.copy().digest("hex"),
      partSize: PART_SIZE,
      parts: [...this.#parts, ...last],
    };
  }
}

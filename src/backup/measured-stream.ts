import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { PART_SIZE } from "./manifest.ts";

export interface StoredMeasure {
  readonly bytes: number;
  readonly sha256: string;
  readonly partSize: number;
  readonly parts: readonly string[];
}

/** Passes bytes on unchanged and measures them: count, hash of all, hash of each part. */
export function measuredStream(onBytes: (total: number) => void): { stream: Transform; measure: () => StoredMeasure } {
  const whole = createHash("sha256");
  const parts: string[] = [];
  let part = createHash("sha256");
  let inPart = 0;
  let bytes = 0;

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      whole.update(chunk);
      bytes += chunk.length;
      for (let rest = chunk; rest.length > 0; ) {
        const piece = rest.subarray(0, PART_SIZE - inPart);
        part.update(piece);
        inPart += piece.length;
        rest = rest.subarray(piece.length);
        if (inPart === PART_SIZE) endPart();
      }
      onBytes(bytes);
      done(null, chunk);
    },
    flush(done) {
      if (inPart > 0) endPart();
      done();
    },
  });

  function endPart(): void {
    parts.push(part.digest("hex"));
    part = createHash("sha256");
    inPart = 0;
  }

  return { stream, measure: () => ({ bytes, sha256: whole.copy().digest("hex"), partSize: PART_SIZE, parts }) };
}

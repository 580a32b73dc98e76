import { createDecipheriv, hkdfSync } from "node:crypto";
import { Transform } from "node:stream";
import { SummitError } from "../../core/errors.ts";

/** Plain bytes of a chunk; the last one may have fewer. */
const CHUNK = 64 * 1024;
const SUM = 16;
const NONCE = 16;

/**
 * Decrypts what follows the head of a file of age, whose first `skip` bytes are that head. Hands nothing on before its
 * sum was found right, and ends well only when the end was seen; otherwise it fails with kind `verification`. Holds
 * one chunk of 64 KiB.
 */
export function ageDecryption(fileKey: Buffer, skip: number): Transform {
  let toSkip = skip;
  let key: Buffer | undefined;
  let held: Buffer = Buffer.alloc(0);
  let number = 0;
  const open = (chunk: Buffer, last: boolean): Buffer => {
    const plain = openChunk(key as Buffer, { chunk, number, last });
    number += 1;
    return plain;
  };
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      try {
        const rest = piece.subarray(toSkip);
        toSkip -= piece.length - rest.length;
        held = held.length === 0 ? rest : Buffer.concat([held, rest]);
        if (key === undefined && held.length >= NONCE) {
          key = Buffer.from(hkdfSync("sha256", fileKey, held.subarray(0, NONCE), "payload", 32));
          held = held.subarray(NONCE);
        }
        // The last chunk is told by the end, so as long as there is no more, a whole one waits.
        while (key !== undefined && held.length > CHUNK + SUM) {
          this.push(open(held.subarray(0, CHUNK + SUM), false));
          held = held.subarray(CHUNK + SUM);
        }
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        if (key === undefined) throw altered("it ends within its head");
        const plain = open(held, true);
        // Only an empty file ends with an empty chunk.
        if (plain.length === 0 && number > 1) throw altered("it ends with an empty chunk");
        done(null, plain);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function openChunk(key: Buffer, { chunk, number, last }: { chunk: Buffer; number: number; last: boolean }): Buffer {
  if (chunk.length < SUM) throw altered("its end is missing");
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = last ? 1 : 0;
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: SUM });
  decipher.setAuthTag(chunk.subarray(-SUM));
  const plain = decipher.update(chunk.subarray(0, -SUM));
  try {
    decipher.final();
  } catch (error) {
    throw altered(
      last ? "its end was altered or is missing" : `what was encrypted at ${number * CHUNK} was altered`,
      error,
    );
  }
  return plain;
}

const altered = (how: string, cause?: unknown): SummitError =>
  new SummitError("verification", `it cannot be decrypted: ${how}`, { cause, hint: "summitctl backups list" });

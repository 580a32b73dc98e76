import { Transform } from "node:stream";
import { SummitError } from "../../core/errors.ts";

/**
 * Passes a file on with another head. Fails with kind `verification` when it does not begin with the one that it is to
 * have, which was looked at before: then somebody has changed it since.
 */
export function replaceHead(head: Buffer, by: Buffer): Transform {
  let seen: Buffer = Buffer.alloc(0);
  let replaced = false;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      if (replaced) return done(null, piece);
      seen = Buffer.concat([seen, piece]);
      if (seen.length < head.length) return done();
      if (!seen.subarray(0, head.length).equals(head)) return done(otherHead());
      replaced = true;
      this.push(by);
      return done(null, seen.subarray(head.length));
    },
    flush: (done) => done(replaced ? null : otherHead()),
  });
}

export const otherHead = (): SummitError =>
  new SummitError("verification", "an encrypted file does not begin as it did a moment ago", {
    hint: "run the same command again",
  });

import { SummitError } from "../../core/errors.ts";
import type { DirectTransfer } from "../../core/ports/direct-transfer.ts";
import type { RemoteProcess } from "../../core/ports/shell.ts";
import type { Manifest, Member } from "../manifest.ts";
import { memberKey } from "../read-member.ts";
import { hear, Refusals, say, sayRequest } from "./talk.ts";

interface Fetching {
  readonly direct: DirectTransfer;
  readonly manifest: Manifest;
  readonly member: Member;
  readonly signal: AbortSignal;
  readonly onBytes: (total: number) => void;
  /** What the file is to begin with in place of its first `skip` bytes, once its first piece was found right. */
  readonly head?: { readonly skip: number; readonly bytes: Buffer } | undefined;
}

/**
 * Signs a request for each piece of a member when the machine wants it, together with the hash that the piece must
 * have. Resolves when the machine has no more to say; throws kind `verification` for a piece that is not what was stored.
 */
export async function servePieces(child: RemoteProcess, fetching: Fetching): Promise<void> {
  const { direct, manifest, member, signal, onBytes, head } = fetching;
  const { partSize, bytes, parts } = member.stored;
  const key = memberKey(manifest, member);
  const refusals = new Refusals(signal);
  let asked = 0;
  const sign = async (number: number) => {
    const offset = (number - 1) * partSize;
    const length = Math.min(partSize, bytes - offset);
    const hash = { size: length, sha256: parts[number - 1] };
    const other = number > 1 || head === undefined ? {} : { head: head.bytes.toString("base64"), skip: head.skip };
    sayRequest(child, await direct.signGet(key, { offset, length }), { ...hash, ...other });
  };
  for await (const word of hear(child)) {
    if ("want" in word) {
      refusals.over();
      onBytes(Math.min(bytes, asked * partSize));
      asked += 1;
      if (asked > parts.length) say(child, { end: true });
      else await sign(asked);
    } else if ("refused" in word) {
      await refusals.wait(`the store refused piece ${asked} of ${member.file}`, word["refused"]);
      await sign(asked);
    } else {
      throw new SummitError(
        "verification",
        `the backup ${manifest.id} is damaged: part ${asked} of ${parts.length} of ${member.file} is not what was stored`,
        { hint: "summitctl backups list    # and restore an older one" },
      );
    }
  }
}

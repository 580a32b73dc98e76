import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { backupPrefix } from "./keys.ts";
import type { Manifest, Member } from "./manifest.ts";

export const memberKey = (manifest: Manifest, member: Member): string =>
  `${backupPrefix(manifest.project, manifest.environment, manifest.id)}${member.file}`;

/** Throws kind `verification` when a file of the backup is missing or has another size: known before anything is touched. */
export async function checkSizes(store: ObjectStore, manifest: Manifest): Promise<void> {
  for (const member of manifest.members) {
    const info = await store.head(memberKey(manifest, member));
    if (info?.size === member.stored.bytes) continue;
    const came = info === undefined ? "is missing" : `has ${info.size} bytes, expected ${member.stored.bytes}`;
    throw new SummitError("verification", `the backup ${manifest.id} is damaged: ${member.file} ${came}`, {
      hint: "summitctl backups list    # and restore an older one",
    });
  }
}

/**
 * The stored bytes of one file of a backup. No byte of a part is handed on before the hash of the whole part was
 * found right; the stream fails with kind `verification` at the first part that is not. Holds one part in memory.
 */
export function readMember(
  store: ObjectStore,
  manifest: Manifest,
  member: Member,
  onBytes: (total: number) => void,
): Readable {
  const key = memberKey(manifest, member);
  async function* parts(): AsyncGenerator<Buffer> {
    const { partSize, bytes, parts: hashes } = member.stored;
    for (const [index, expected] of hashes.entries()) {
      const offset = index * partSize;
      const length = Math.min(partSize, bytes - offset);
      const part = await takePart(await store.get(key, { offset, length }));
      if (part.bytes !== length || part.sha256 !== expected) {
        throw new SummitError(
          "verification",
          `the backup ${manifest.id} is damaged: part ${index + 1} of ${hashes.length} of ${member.file} is not what was stored`,
          {
            hint: "summitctl backups list    # and restore an older one",
          },
        );
      }
      onBytes(offset + length);
      // Small pieces, so that progress and back-pressure follow what the other end takes.
      for (let chunk = part.chunks.shift(); chunk !== undefined; chunk = part.chunks.shift()) {
        for (let at = 0; at < chunk.length; at += 256 * 1024) yield chunk.subarray(at, at + 256 * 1024);
      }
    }
  }
  return Readable.from(parts(), { objectMode: false, highWaterMark: 1024 * 1024 });
}

/** A part as it came, not copied together: there is one of it in memory, not two. */
async function takePart(stream: AsyncIterable<Buffer>) {
  const hash = createHash("sha256");
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    chunks.push(chunk);
    bytes += chunk.length;
  }
  return { chunks, bytes, sha256: hash.digest("hex") };
}

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { backupPrefix, manifestKey } from "../../src/backup/keys.ts";
import type { Manifest, Member } from "../../src/backup/manifest.ts";
import { sha256 } from "../../src/core/digest.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { sampleManifest } from "./sample-manifest.ts";

const PART = 40_000;

/** Puts a backup into stores whose files are real bzip2, several parts each, with a manifest that is true of it. */
export async function keepPacked(stores: readonly ObjectStore[], over: Partial<Manifest> = {}): Promise<Manifest> {
  const sample = sampleManifest(over);
  const plain = sample.members.map(() => Buffer.from(randomBytes(75_000).toString("hex")));
  const packed = plain.map(bzip2);
  const members = sample.members.map(
    (member, at): Member => withSums(member, plain[at] as Buffer, packed[at] as Buffer),
  );
  const manifest = { ...sample, members };
  const prefix = backupPrefix(manifest.project, manifest.environment, manifest.id);
  for (const store of stores) {
    for (const [at, { file }] of members.entries()) await store.put(`${prefix}${file}`, packed[at] as Buffer);
    await store.put(manifestKey(manifest), Buffer.from(JSON.stringify(manifest)));
  }
  return manifest;
}

export const bzip2 = (plain: Buffer): Buffer => spawnSync("bzip2", ["-c"], { input: plain }).stdout;

/** The member as it would be of these bytes. */
export const withSums = (member: Member, plain: Buffer, packed: Buffer): Member => ({
  ...member,
  plain: { bytes: plain.length, sha256: sha256(plain) },
  stored: {
    bytes: packed.length,
    sha256: sha256(packed),
    partSize: PART,
    parts: Array.from({ length: Math.ceil(packed.length / PART) }, (_, at) =>
      sha256(packed.subarray(at * PART, (at + 1) * PART)),
    ),
  },
});

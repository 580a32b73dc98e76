import { randomBytes } from "node:crypto";
import { backupPrefix, manifestKey } from "../../src/backup/keys.ts";
import type { Manifest, Member } from "../../src/backup/manifest.ts";
import { sha256 } from "../../src/core/digest.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { sampleManifest } from "./sample-manifest.ts";

const PART = 40_000;

/** Puts a backup of random bytes into a store, three parts and a piece, with a manifest that is true of it. */
export async function keepSample(store: ObjectStore, over: Partial<Manifest> = {}): Promise<Manifest> {
  const sample = sampleManifest(over);
  const bodies = sample.members.map(({ kind }) => randomBytes(kind === "database" ? 3 * PART + 17 : 600));
  const members = sample.members.map((member, at): Member => ({ ...member, stored: measured(bodies[at] as Buffer) }));
  const manifest = { ...sample, members };
  const prefix = backupPrefix(manifest.project, manifest.environment, manifest.id);
  for (const [at, { file }] of members.entries()) await store.put(`${prefix}${file}`, bodies[at] as Buffer);
  // In a form that nothing here would write, so that a copy that is not byte for byte is seen.
  await store.put(manifestKey(manifest), Buffer.from(` ${JSON.stringify(manifest)}`));
  return manifest;
}

const measured = (body: Buffer): Member["stored"] => ({
  bytes: body.length,
  sha256: sha256(body),
  partSize: PART,
  parts: Array.from({ length: Math.ceil(body.length / PART) }, (_, at) =>
    sha256(body.subarray(at * PART, (at + 1) * PART)),
  ),
});

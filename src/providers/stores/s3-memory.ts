import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { LastCapabilities, StoreCapabilities } from "../../core/ports/store.ts";
import type { S3Settings } from "./s3-client.ts";

/** What this computer found out about a server, kept for those that only look. Nothing is decided by it. */
export interface S3Memory {
  read(): Promise<LastCapabilities | undefined>;
  /** Best effort. */
  write(found: StoreCapabilities): Promise<void>;
}

/** One file per store in a folder of this user's. */
export function s3Memory(folder: string, { url, endpoint }: S3Settings): S3Memory {
  const name = createHash("sha256")
    .update(JSON.stringify([url, endpoint]))
    .digest("hex")
    .slice(0, 32);
  const file = join(folder, `${name}.json`);
  return {
    async read() {
      try {
        const { exclusiveCreate, checksum, maxParts, foundAt } = JSON.parse(await readFile(file, "utf8"));
        const time = new Date(foundAt);
        return Number.isNaN(time.getTime()) ? undefined : { exclusiveCreate, checksum, maxParts, foundAt: time };
      } catch {
        // It is not there, or somebody else's: found out again soon enough.
        return undefined;
      }
    },
    async write({ exclusiveCreate, checksum, maxParts }) {
      const text = JSON.stringify({ url, exclusiveCreate, checksum, maxParts, foundAt: new Date().toISOString() });
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await writeFileAtomic(file, `${text}\n`, { mode: 0o600 });
      } catch {
        // The store works without.
      }
    },
  };
}

import { createHash } from "node:crypto";
import type { StoreCapabilities } from "../../core/ports/store.ts";

/** The sum of a body in the request that carries it, such as this server compares it. */
export function sumOf(bytes: Uint8Array, checksum: StoreCapabilities["checksum"]) {
  if (checksum === "crc32") return { ChecksumAlgorithm: "CRC32" } as const;
  if (checksum === "md5") return { ContentMD5: createHash("md5").update(bytes).digest("base64") };
  return {};
}

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf, SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";

const PIECE = 1024 * 1024;

/** A file that is read once, from its beginning to its end. */
export interface ImportFile extends AsyncDisposable {
  readonly size: number;
  /** When it was last written, by this computer's clock. */
  readonly writtenAt: Date;
  /** Its first bytes. */
  head(bytes: number): Promise<Buffer>;
  /** All of it as `read`, of which nothing is remembered. */
  peek(): AsyncGenerator<Buffer>;
  /** All of it. Fails with kind `check` when it changed meanwhile. `onBytes` is told how many so far. */
  read(onBytes: (bytes: number) => void): AsyncGenerator<Buffer>;
  /** Of all of it, once it was read. */
  sha256(): string;
}

/** Follows links: what is read is what was opened. Rejects with kind `usage` for what is no file or cannot be read. */
export async function openImportFile(path: string): Promise<ImportFile> {
  const handle = await open(path, "r").catch((error: unknown) => {
    throw new SummitError("usage", `${show(path)} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const before = await handle.stat();
  if (!before.isFile()) {
    await handle.close();
    throw new SummitError(
      "usage",
      `${show(path)} is no file: ${before.isDirectory() ? "it is a folder" : "a device"}`,
      {
        hint: "summitctl backups import FILE --database NAME",
      },
    );
  }
  const hash = createHash("sha256");
  let digest: string | undefined;
  return {
    size: before.size,
    writtenAt: before.mtime,
    head: (bytes) => readAt(handle, 0, bytes),
    async *peek() {
      for (let at = 0; at < before.size; at += PIECE) yield await readAt(handle, at, PIECE);
    },
    async *read(onBytes) {
      let at = 0;
      for (;;) {
        const piece = await readAt(handle, at, PIECE);
        if (piece.length === 0) break;
        at += piece.length;
        hash.update(piece);
        onBytes(at);
        yield piece;
      }
      const after = await handle.stat();
      if (at !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
        throw new SummitError("check", `${show(path)} changed while it was read`, {
          hint: "wait until whoever writes it has ended, then run the same command again",
        });
      }
    },
    sha256: () => {
      digest ??= hash.digest("hex");
      return digest;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function readAt(handle: FileHandle, at: number, most: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(most);
  let size = 0;
  while (size < most) {
    const { bytesRead } = await handle.read(piece, size, most - size, at + size);
    if (bytesRead === 0) break;
    size += bytesRead;
  }
  return piece.subarray(0, size);
}

import { Header } from "tar";

const BLOCK = 512;

/** A tar archive of a few small text files, root's alone. */
export function seedArchive(files: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    const header = Buffer.alloc(BLOCK);
    new Header({ path, mode: 0o600, uid: 0, gid: 0, size: content.length, mtime: new Date(), type: "File" }).encode(
      header,
    );
    return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}

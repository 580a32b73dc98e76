import { randomBytes } from "node:crypto";
import { open, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "./text-file.ts";

/**
 * Gives a file new text in one step: readers see the old or the new, also after a power cut. A link is followed,
 * so that it stays one. Failed: the old file is as it was and nothing is left beside it.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return file;
    throw error;
  });
  const next = `${target}.${randomBytes(6).toString("hex")}.new`;
  try {
    await writeDurably(next, text);
    await rename(next, target);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  await using folder = await open(dirname(target), "r");
  await folder.sync();
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, "wx", 0o644);
  await handle.writeFile(text);
  await handle.sync();
}

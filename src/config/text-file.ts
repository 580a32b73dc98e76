import { readFile, stat } from "node:fs/promises";
import { SummitError } from "../core/errors.ts";

/** Largest file that is read, in bytes. */
export const TEXT_LIMIT = 1024 * 1024;

/** The text of a file (UTF-8, a byte order mark is dropped), or undefined when there is no such file. */
export async function readTextFile(file: string): Promise<string | undefined> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) {
      throw new SummitError("config", `expected a file at ${file}, that is a folder`, { hint: `ls ${file}` });
    }
    if (!found.isFile()) throw new SummitError("config", `expected a regular file at ${file}`);
    if (found.size > TEXT_LIMIT) throw tooLarge(file, found.size);
    const bytes = await readFile(file);
    if (bytes.length > TEXT_LIMIT) throw tooLarge(file, bytes.length);
    return decode(file, bytes);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    if (codeOf(error) === "EACCES") {
      throw new SummitError("config", `${file} cannot be read: permission denied`, {
        hint: `ls -l ${file}`,
        cause: error,
      });
    }
    throw error;
  }
}

/** `ENOENT` and the like, of an error of node's. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SummitError("config", `${file} is not UTF-8 text`, { hint: `file ${file}`, cause: error });
  }
}

const tooLarge = (file: string, size: number): SummitError =>
  new SummitError("config", `${file} has ${size} bytes, at most ${TEXT_LIMIT} are read`);

import { lstat, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { sha256 } from "../core/digest.ts";
import { SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";

/** Left behind by editors, git and interpreters; not part of a pack. */
const IGNORED = /^(\.git|\.DS_Store|__pycache__|.*~|.*\.sw[op]|.*\.pyc|#.*#)$/;

/**
 * `sha256:<hex>` over the sorted names, executable bits and contents of a pack. Throws kind `config` for links and
 * other things that are neither files nor folders.
 */
export async function packDigest(folder: string): Promise<string> {
  const entries: string[] = [];
  await addFolder(resolve(folder), "", entries);
  return `sha256:${sha256(entries.sort().join(""))}`;
}

async function addFolder(root: string, below: string, entries: string[]): Promise<void> {
  for (const name of await readdir(join(root, below))) {
    if (IGNORED.test(name)) continue;
    const path = below === "" ? name : `${below}/${name}`;
    const found = await lstat(join(root, path));
    if (found.isDirectory()) {
      await addFolder(root, path, entries);
    } else if (found.isFile()) {
      const bit = (found.mode & 0o100) === 0 ? "-" : "x";
      // NUL ends the name: it is the one character no name can hold.
      entries.push(`${path}\0${bit} ${sha256(await readFile(join(root, path)))}\n`);
    } else {
      throw new SummitError("config", `a pack holds files and folders, ${show(path)} in ${root} is something else`, {
        hint: `ls -l ${join(root, path)}`,
      });
    }
  }
}

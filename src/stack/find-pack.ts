import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { suggestion } from "../config/suggest.ts";
import { SummitError } from "../core/errors.ts";
import { checkLabel, show } from "../core/names.ts";
import { PACK_FILE } from "./read-pack.ts";

/**
 * Folder of a pack by name; the first of `folders` (each holds packs) that has it wins. Throws kind `config` and
 * lists what there is.
 */
export async function findPack(name: string, folders: readonly string[]): Promise<string> {
  const wrong = checkLabel("pack", name);
  if (wrong !== undefined) throw new SummitError("config", wrong);
  for (const folder of folders) {
    const path = join(folder, name);
    if (await isFolder(path)) return path;
  }
  const known = await listPacks(folders);
  throw new SummitError("config", `there is no pack ${show(name)}${suggestion(name, known)}`, {
    details: [`looked in: ${folders.join(", ")}`, `packs there: ${known.join(", ") || "none"}`],
    hint: `pack: ${known[0] ?? name}`,
  });
}

/** Names of all packs, sorted. */
export async function listPacks(folders: readonly string[]): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (await isFile(join(folder, name, PACK_FILE))) names.add(name);
    }
  }
  return [...names].sort();
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

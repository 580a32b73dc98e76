import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problemText } from "../../src/config/problems.ts";
import { HOOKS, type Pack } from "../../src/stack/pack-types.ts";
import { parsePack } from "../../src/stack/read-pack.ts";

/** Lines 1 to 3 of every pack.yaml below. */
export const packHead = (name: string): string => `schema: summitctl.pack.v1\nname: ${name}\nsummary: a pack\n`;

export function packOf(name: string, rest: string): Pack {
  const parsed = parsePack(packHead(name) + rest, `/packs/${name}`);
  if ("problems" in parsed) throw new Error(parsed.problems.map(problemText).join("\n"));
  return parsed.pack;
}

export function packProblems(rest: string): readonly string[] {
  const parsed = parsePack(packHead("demo") + rest, "/packs/demo");
  return "problems" in parsed ? parsed.problems.map(problemText) : [];
}

/** A pack on disk with hooks that do nothing. */
export async function writePack(folder: string, name: string, rest = ""): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, "hooks"), { recursive: true });
  await writeFile(join(path, "pack.yaml"), packHead(name) + rest);
  for (const hook of HOOKS) {
    await writeFile(join(path, "hooks", hook), "#!/bin/sh\n");
    await chmod(join(path, "hooks", hook), 0o755);
  }
  return path;
}

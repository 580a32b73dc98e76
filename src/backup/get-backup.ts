import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal } from "node:stream";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import type { StoredBackup } from "./feed-member.ts";
import { MANIFEST_FILE } from "./keys.ts";
import { checkSizes, readMember } from "./read-member.ts";

export interface GetResult {
  readonly schema: "summitctl.backup-got.v1";
  readonly id: string;
  readonly folder: string;
  readonly files: readonly string[];
}

/** Copies a backup into a new folder, every part checked. The folder appears whole or not at all. */
export async function getBackup(
  { manifest, store }: StoredBackup,
  target: string,
  deps: Pick<Deps, "out" | "signal">,
): Promise<GetResult> {
  const folder = join(target, manifest.id);
  if (
    await stat(folder).then(
      () => true,
      () => false,
    )
  ) {
    throw new SummitError("check", `${folder} exists, and nothing is written over it`, {
      hint: `rm -r ${folder}    # or give another folder: --to FOLDER`,
    });
  }
  await checkSizes(store, manifest);
  const unfinished = `${folder}.unfinished-${process.pid}`;
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  try {
    for (const member of manifest.members) {
      const task = deps.out.task(member.file);
      try {
        const file = await open(join(unfinished, member.file), "wx", 0o600);
        try {
          const body = readMember(store, manifest, member, (bytes) =>
            task.progress({ bytes, total: member.stored.bytes }),
          );
          for await (const piece of addAbortSignal(deps.signal, body) as AsyncIterable<Buffer>)
            await file.appendFile(piece);
          await file.sync();
        } finally {
          await file.close();
        }
        task.done();
      } catch (error) {
        task.fail();
        throw error;
      }
    }
    const file = await open(join(unfinished, MANIFEST_FILE), "wx", 0o600);
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.close();
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return {
    schema: "summitctl.backup-got.v1",
    id: manifest.id,
    folder,
    files: [...manifest.members.map(({ file }) => file), MANIFEST_FILE],
  };
}

export const getView = ({ id, folder, files }: GetResult): View => [
  { text: `backup ${id} is in ${folder}` },
  ...files.map((file) => ({ text: `  ${file}` })),
  { text: "restore by hand: createdb NEW && bunzip2 -c FILE.dump.bz2 | pg_restore -d NEW" },
];

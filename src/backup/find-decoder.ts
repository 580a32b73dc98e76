import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Argv } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import { COMPRESSORS, decompressArgv } from "./dump-line.ts";
import type { Member } from "./manifest.ts";

const DECODERS: Readonly<Record<Member["compression"], readonly Argv[]>> = {
  bzip2: COMPRESSORS.bzip2.map(decompressArgv),
  zstd: COMPRESSORS.zstd.map(decompressArgv),
};

/** The best program of this computer that decodes it. Throws kind `check` when there is none. */
export async function findDecoder(
  compression: Member["compression"],
  path: string = process.env["PATH"] ?? "",
): Promise<Argv> {
  const decoders = DECODERS[compression];
  for (const argv of decoders)
    for (const folder of path.split(delimiter)) if (await canRun(join(folder, argv[0]))) return argv;
  const names = decoders.map(([name]) => name).join(" or ");
  const [best] = decoders[0] ?? [compression];
  throw new SummitError("check", `this computer has no ${names}, to decode what is to be verified`, {
    hint: `sudo apt-get install ${best}    # on macOS: brew install ${best}`,
  });
}

const canRun = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

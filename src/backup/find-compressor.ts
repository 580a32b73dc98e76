import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { COMPRESSORS, type Compressor } from "./dump-line.ts";

/** The best that the machine has; it packs and unpacks. Throws kind `check` when there is none. */
export async function findCompressor({ shell, unit }: DatabaseServer): Promise<Compressor> {
  const found = await shell.run(["sh", "-c", `command -v ${COMPRESSORS.join(" || command -v ")}`], { timeout: 30 });
  const name = COMPRESSORS.find((candidate) => found.stdout.trim().endsWith(`/${candidate}`));
  if (name !== undefined) return name;
  throw new SummitError("check", `${unit} has no bzip2`, {
    hint: `summitctl ssh ${unit} -- sudo apt-get install -y lbzip2`,
  });
}

import type { Argv } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { COMPRESSORS, type Compressor } from "./dump-line.ts";
import type { Compression } from "./manifest.ts";

/** Debian's packages, the best of each. */
const PACKAGES: Readonly<Record<Compression, string>> = { bzip2: "lbzip2", zstd: "zstd" };

/** The best that the machine has for a format; it packs and unpacks. Throws kind `check` when there is none. */
export async function findCompressor(
  { shell, unit }: DatabaseServer,
  compression: Compression = "bzip2",
): Promise<Compressor> {
  const candidates: readonly Compressor[] = COMPRESSORS[compression];
  const found = await shell.run(lookArgv(candidates), { timeout: 30 });
  const name = candidates.find((candidate) => found.stdout.trim().endsWith(`/${candidate}`));
  if (name !== undefined) return name;
  throw missing(unit, compression, PACKAGES[compression]);
}

/** Throws kind `check` when the machine has no age, which encrypts there and decrypts. */
export async function checkAge({ shell, unit }: DatabaseServer): Promise<void> {
  const found = await shell.run(lookArgv(["age"]), { timeout: 30 });
  if (!found.stdout.trim().endsWith("/age")) throw missing(unit, "age", "age");
}

const lookArgv = (names: readonly string[]): Argv => ["sh", "-c", `command -v ${names.join(" || command -v ")}`];

const missing = (unit: string, what: string, packaged: string): SummitError =>
  new SummitError("check", `${unit} has no ${what}`, {
    hint: `summitctl ssh ${unit} -- sudo apt-get install -y ${packaged}`,
  });

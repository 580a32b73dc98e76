import { access, chmod, link, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { generateKeyPair } from "./key-pair.ts";

/**
 * The key that summitctl logs in with when summit.yaml names none: made once per user, without a passphrase, so that
 * a schedule can use it at night when nobody is there to unlock an agent.
 */
export async function ensureOwnKey(file: string): Promise<string> {
  if (
    await access(file).then(
      () => true,
      () => false,
    )
  )
    return file;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPair();
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, `${publicKey} summitctl\n`, { mode: 0o644 });
  // Two commands at once: the first one's key stays.
  await link(fresh, file).catch(() => undefined);
  await rm(fresh, { force: true });
  await chmod(file, 0o600);
  return file;
}

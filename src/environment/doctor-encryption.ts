import { readIdentities } from "../config/age-identity.ts";
import type { Config } from "../config/types.ts";
import { isSummitError } from "../core/errors.ts";
import type { Check } from "../core/ports/machines.ts";

interface IdentityPlace {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const NAME = "encryption";

/** Whether backups can be opened again from here, and after the loss of a key. Asks nobody for a passphrase. */
export async function encryptionChecks(
  { backup, folder }: Pick<Config, "backup" | "folder">,
  { env, signal }: IdentityPlace,
): Promise<readonly Check[]> {
  const { encrypt } = backup;
  const recipients = encrypt?.recipients ?? [];
  const hashes: readonly Check[] =
    recipients.length === 0 && backup.rolePasswords
      ? [warning("backups hold the hashes of passwords and are not encrypted", "in summit.yaml: role_passwords: false")]
      : [];
  if (encrypt === undefined) return hashes;
  const single: readonly Check[] =
    recipients.length === 1
      ? [warning("there is one recipient: who loses that key loses every backup", "add a second one, kept elsewhere")]
      : [];
  if (encrypt.identity === undefined) {
    const message = `to ${recipients.length} recipients; no identity here, so nothing can be restored from here`;
    return [warning(message, "in summit.yaml: backup: { encrypt: { identity: { file: … } } }"), ...single, ...hashes];
  }
  let loose: string | undefined;
  const warn = (line: string) => {
    loose = line;
  };
  try {
    const identities = await readIdentities(backup, { env, folder, signal, warn, hasTerminal: false });
    const fits = recipients.length === 0 || identities.some(({ recipient }) => recipients.includes(recipient));
    const found: Check = fits
      ? { name: NAME, ok: true, message: `to ${recipients.length} recipients, the identity can be had` }
      : {
          name: NAME,
          ok: false,
          message: "the identity is of none of the recipients: what is backed up now cannot be restored from here",
          hint: `add its recipient: ${identities[0].recipient}`,
        };
    return [found, ...(loose === undefined ? [] : [warning(loose)]), ...single, ...hashes];
  } catch (error) {
    signal.throwIfAborted();
    if (!isSummitError(error) || error.kind !== "config") throw error;
    const { message, hint } = error;
    return [{ name: NAME, ok: false, message, ...(hint === undefined ? {} : { hint }) }, ...single, ...hashes];
  }
}

const warning = (message: string, hint?: string): Check => ({
  name: NAME,
  ok: "warning",
  message,
  ...(hint === undefined ? {} : { hint }),
});

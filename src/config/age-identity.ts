import { type AgeIdentity, parseIdentities } from "../core/age-keys.ts";
import { quote } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { runSecretCommand } from "./secret-command.ts";
import { resolveSecret, type SecretDeps } from "./secret-source.ts";
import type { BackupConfig, SecretSource } from "./types.ts";

/** What messages call it. */
const NAME = "backup.encrypt.identity";

export interface IdentityDeps extends SecretDeps {
  /** Whether somebody can be asked for a passphrase. */
  readonly hasTerminal: boolean;
}

/**
 * The identities that open encrypted backups, from where summit.yaml says. A key file that a passphrase protects is
 * opened by the program age, which asks for it on the terminal. Throws kind `config` when there are none, and where
 * nobody can be asked; no message holds any of it.
 */
export async function readIdentities(
  { encrypt }: Pick<BackupConfig, "encrypt">,
  deps: IdentityDeps,
): Promise<readonly [AgeIdentity, ...AgeIdentity[]]> {
  const source = encrypt?.identity;
  if (source === undefined) {
    throw new SummitError("config", "encrypted backups need an identity of age, and summit.yaml names none", {
      hint: "backup: { encrypt: { identity: { file: ~/.config/summitctl/age-key.txt } } }",
    });
  }
  const text = await resolveSecret(NAME, source, deps);
  return parseIdentities(isProtected(text) ? await unprotect(source, deps) : text, `the secret ${NAME}`);
}

const isProtected = (text: Secret): boolean =>
  /^(age-encryption\.org\/v1$|-----BEGIN AGE ENCRYPTED FILE-----)/m.test(text.reveal().slice(0, 100));

/** Milliseconds to type it. */
const PATIENCE = 120_000;

async function unprotect(source: SecretSource, deps: IdentityDeps): Promise<Secret> {
  if (!("file" in source))
    throw new SummitError("config", `the secret ${NAME} is protected by a passphrase`, {
      hint: "put age into its command: identity: { command: … | age --decrypt }",
    });
  if (!deps.hasTerminal)
    throw new SummitError(
      "config",
      `the secret ${NAME} is protected by a passphrase, and there is no terminal to ask for it`,
      { hint: `run it on a terminal, or make a key file without one: age --decrypt ${quote(source.file)}` },
    );
  const run = deps.run ?? runSecretCommand;
  const command = `age --decrypt ${quote(source.file)}`;
  return await resolveSecret(
    NAME,
    { command },
    { ...deps, run: (line, place) => run(line, { ...place, limit: PATIENCE }) },
  );
}

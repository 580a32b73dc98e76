import type { AnyAuthMethod, BaseAgent, ParsedKey } from "ssh2";
import { quote } from "../../core/argv.ts";
import { SummitError } from "../../core/errors.ts";
import { fingerprint, keyLine } from "./host-key.ts";
import { readPrivateKeyFile } from "./private-key-file.ts";
import { ssh2 } from "./ssh2-module.ts";

/** The keys of this operator, in the order in which they are offered: files first, then the agent. */
export interface OfferedKeys {
  /** `ssh-ed25519 AAAA…` lines without comments, each once. */
  readonly publicLines: readonly string[];
  /** One line per key for people: fingerprint and where it comes from. */
  readonly words: readonly string[];
  methods(username: string): AnyAuthMethod[];
}

export interface KeySources {
  readonly keyFiles: readonly string[];
  readonly agentSocket: string | undefined;
}

/**
 * Reads the key files and asks the agent. Throws kind `config` when a file is no usable key and the agent does not
 * hold it either, or when there is no key at all. An agent that does not answer counts as empty.
 */
export async function offeredKeys({ keyFiles, agentSocket }: KeySources): Promise<OfferedKeys> {
  const agent = agentSocket === undefined || agentSocket === "" ? undefined : ssh2().createAgent(agentSocket);
  const agentKeys = agent === undefined ? [] : await agentIdentities(agent);
  const fileKeys: { blob: Buffer; file: string; key: ParsedKey }[] = [];
  for (const file of keyFiles) {
    const read = await readPrivateKeyFile(file);
    if (read.kind === "usable") fileKeys.push({ blob: read.key.getPublicSSH(), file, key: read.key });
    else if (!agentKeys.some((blob) => read.publicBlob?.equals(blob))) throw passphraseError(file, agent !== undefined);
  }
  const files = fileKeys.map(({ file, blob }) => ({ blob, from: file }));
  const offered = [...files, ...agentKeys.map((blob) => ({ blob, from: "ssh agent" }))];
  if (offered.length === 0) throw noKeyError(agentSocket);
  return {
    publicLines: [...new Set(offered.map(({ blob }) => keyLine(blob)))],
    words: offered.map(({ blob, from }) => `offered: ${fingerprint(blob)} (${from})`),
    methods: (username) => [
      ...fileKeys.map(({ key }): AnyAuthMethod => ({ type: "publickey", username, key })),
      ...(agent !== undefined && agentKeys.length > 0 ? [{ type: "agent" as const, username, agent }] : []),
    ],
  };
}

const agentIdentities = (agent: BaseAgent): Promise<readonly Buffer[]> =>
  new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      const blobs = error ? [] : (keys ?? []).map((key) => (key as ParsedKey).getPublicSSH());
      resolve(blobs);
    });
  });

const passphraseError = (file: string, hasAgent: boolean): SummitError =>
  new SummitError(
    "config",
    hasAgent
      ? `the ssh key ${file} is protected by a passphrase and the ssh agent does not hold it`
      : `the ssh key ${file} is protected by a passphrase and there is no ssh agent`,
    { hint: hasAgent ? `ssh-add ${quote(file)}` : `eval "$(ssh-agent)" && ssh-add ${quote(file)}` },
  );

const noKeyError = (agentSocket: string | undefined): SummitError =>
  new SummitError(
    "config",
    agentSocket === undefined
      ? "expected an ssh key, got none: no key file is named and there is no ssh agent"
      : "expected an ssh key, got none: no key file is named and the ssh agent holds none or does not answer",
    { hint: agentSocket === undefined ? "ssh-keygen -t ed25519" : "ssh-add" },
  );

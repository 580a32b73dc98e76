import { SummitError } from "../core/errors.ts";
import type { SshKeyPair } from "../core/ports/shell.ts";

export interface UserDataFacts {
  readonly hostname: string;
  /** The login that is made; it may become root without a password, and nobody else can log in. */
  readonly user: string;
  readonly authorizedKeys: readonly string[];
  /** Used until the first connection has replaced it: whoever can read user-data could pretend to be the machine. */
  readonly bootKey: SshKeyPair;
}

/** EC2's limit, kept by every provider so that a project moves without a surprise. */
const LIMIT = 16 * 1024;

/** cloud-config for a machine's first boot. JSON is YAML, so nothing in a key or a name can break out of its place. */
export function userData({ hostname, user, authorizedKeys, bootKey }: UserDataFacts): string {
  if (authorizedKeys.length === 0) {
    throw new SummitError("check", "there is no SSH key that a new machine could let in", {
      hint: "ssh-keygen -t ed25519    # or: ssh: { keys: [~/.ssh/id_ed25519] } in summit.yaml",
    });
  }
  const text = `#cloud-config\n${JSON.stringify(
    {
      hostname,
      preserve_hostname: false,
      disable_root: true,
      ssh_pwauth: false,
      ssh_deletekeys: true,
      ssh_genkeytypes: [],
      ssh_keys: { ed25519_private: bootKey.privateKey, ed25519_public: bootKey.publicKey },
      users: [
        {
          name: user,
          shell: "/bin/bash",
          lock_passwd: true,
          sudo: "ALL=(ALL) NOPASSWD:ALL",
          ssh_authorized_keys: authorizedKeys,
        },
      ],
    },
    null,
    1,
  )}\n`;
  if (Buffer.byteLength(text) > LIMIT) {
    throw new SummitError(
      "config",
      `the user-data of a machine has ${Buffer.byteLength(text)} bytes, at most ${LIMIT} are taken`,
      { hint: "list fewer keys under ssh.admins, machines get the others later" },
    );
  }
  return text;
}

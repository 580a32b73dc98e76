import { describe } from "vitest";
import type { SshConnectorOptions } from "../../../src/providers/shell/ssh-connector.ts";
import { createSshConnector } from "../../../src/providers/shell/ssh-connector.ts";
import { describeShell, type ShellUnderTest } from "../../contracts/shell.ts";
import { type SshdOptions, sshdAvailable, startSshd, sudoAvailable } from "../../support/sshd.ts";

// Rekeying in the middle of a stream is part of what a long dump meets.
const settings = ["RekeyLimit 64M"];

async function setup(options: SshdOptions): Promise<ShellUnderTest> {
  const sshd = await startSshd({ settings, ...options });
  const connector = (changes: Partial<SshConnectorOptions> = {}) =>
    createSshConnector({
      keyFiles: [sshd.keyFile],
      agentSocket: undefined,
      signal: new AbortController().signal,
      timing: { endGrace: 1 },
      ...changes,
    });
  return {
    connect: (signal) => connector(signal === undefined ? {} : { signal }).connect(sshd.target()),
    otherUser: "nobody",
    cleanup: async () => sshd[Symbol.asyncDispose](),
  };
}

describe.skipIf(!sshdAvailable)("over a real sshd", () => {
  describeShell("ssh as root", () => setup({}));
  describe.skipIf(!sudoAvailable)("with sudo", () => {
    describeShell("ssh as a user with sudo", () => setup({ user: { sudo: true } }));
  });
});

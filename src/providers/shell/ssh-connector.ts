import type { TerminalConnector } from "../../core/ports/shell.ts";
import { shakeHands } from "./handshake.ts";
import { parsePinnedKey } from "./host-key.ts";
import { generateKeyPair } from "./key-pair.ts";
import { offeredKeys } from "./offered-keys.ts";
import { connectPatiently } from "./patient-connect.ts";
import { SshLink } from "./ssh-link.ts";
import { SshShell } from "./ssh-shell.ts";
import { SSH_TIMING, type SshTiming } from "./ssh-timing.ts";

export interface SshConnectorOptions {
  /** Private keys, absolute paths. Each must exist and be usable, by itself or by the agent. */
  readonly keyFiles: readonly string[];
  /** `SSH_AUTH_SOCK`. */
  readonly agentSocket: string | undefined;
  /** Ends every connection attempt and every process of every shell. */
  readonly signal: AbortSignal;
  readonly timing?: Partial<SshTiming>;
}

/** Connects over SSH with public keys only. Key errors have kind `config`. ssh2 is loaded at the first use. */
export function createSshConnector(options: SshConnectorOptions): TerminalConnector {
  const timing: SshTiming = { ...SSH_TIMING, ...options.timing };
  return {
    async connect(target) {
      const pins = target.hostKeys.map(parsePinnedKey);
      const keys = await offeredKeys(options);
      const signals = target.signal === undefined ? [options.signal] : [options.signal, target.signal];
      const signal = AbortSignal.any(signals);
      const connected = await connectPatiently(
        { patience: target.patience ?? 0, connectTimeout: timing.connectTimeout, signal },
        (timeout) => shakeHands({ target, pins, keys, timing, timeout, signal }),
      );
      return new SshShell({ link: new SshLink(target.name, connected), login: target, timing, signals });
    },
    publicKeys: async () => (await offeredKeys(options)).publicLines,
    generateKeyPair,
  };
}

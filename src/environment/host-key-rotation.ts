import { SummitError } from "../core/errors.ts";
import type { Shell, ShellConnector, ShellTarget } from "../core/ports/shell.ts";
import type { MachineState } from "./state.ts";

/**
 * A machine's first host key came by user-data, where others may read it. The order is what makes a cut at any
 * point harmless: the next key exists and both are known to us before the machine uses it, and the first is given
 * up only after the machine has proved the next one.
 */
export interface Rotation {
  readonly connector: ShellConnector;
  readonly target: ShellTarget;
  readonly state: MachineState;
  /** Makes the machine's state durable. */
  readonly save: (state: MachineState) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * The key that the machine is to have: made now, or the one that a cut rotation left beside or in place of the boot
 * key. Prints it.
 */
const NEXT_KEY = `set -eu; cd /etc/ssh
# As "cloud-init status --wait" does it, without starting a Python on every machine at once.
n=0; while [ ! -e /run/cloud-init/result.json ] && [ ! -e /etc/cloud/cloud-init.disabled ] && [ "$n" -lt 600 ]; do n=$((n + 1)); sleep 0.1; done
if [ "$(cut -d' ' -f1,2 ssh_host_ed25519_key.pub)" != "$1" ]; then cut -d' ' -f1,2 ssh_host_ed25519_key.pub; exit 0; fi
if [ ! -s summitctl_next.pub ]; then rm -f summitctl_next; ssh-keygen -q -t ed25519 -N '' -C '' -f summitctl_next; fi
cut -d' ' -f1,2 summitctl_next.pub`;

const USE_NEXT = `set -eu; cd /etc/ssh
if [ -e summitctl_next ]; then mv -f summitctl_next ssh_host_ed25519_key; fi
if [ -e summitctl_next.pub ]; then mv -f summitctl_next.pub ssh_host_ed25519_key.pub; fi
rm -f ssh_host_rsa_key* ssh_host_ecdsa_key* ssh_host_dsa_key*
systemctl reload ssh`;

/** cloud-init must not run again: without its seed it would take the machine for a new one and make new host keys. */
const FORGET_BOOT_KEY = `set -eu
touch /etc/cloud/cloud-init.disabled
rm -rf /var/lib/cloud/seed/nocloud/* /var/lib/cloud/instances/*/user-data* /var/lib/cloud/instances/*/vendor-data* \\
  /var/lib/cloud/instances/*/obj.pkl /var/lib/cloud/instances/*/cloud-config.txt /run/cloud-init/instance-data*.json
sync -f /etc/ssh`;

/** Replaces the boot key. Returns a shell of a connection that was made with the machine's own key. */
export async function rotateHostKey(shell: Shell, rotation: Rotation): Promise<Shell> {
  const { state, signal, save, connector, target } = rotation;
  const bootKey = state.bootKey;
  if (bootKey === undefined) return shell;
  const next = (await shell.must(["sh", "-c", NEXT_KEY, "sh", bootKey], { signal, timeout: 120 })).trim();
  if (!/^ssh-ed25519 [A-Za-z0-9+/=]+$/.test(next)) {
    throw new SummitError("remote", `${target.name} did not say its next host key`, {
      hint: "run the same command again",
    });
  }
  await save({ ...state, hostKeys: [bootKey, next] });
  await shell.must(["sh", "-c", USE_NEXT], { signal, timeout: 60 });
  const renewed = await connector.connect({ ...target, hostKeys: [next], patience: 15 });
  try {
    await renewed.must(["sh", "-c", FORGET_BOOT_KEY], { signal, timeout: 60 });
    await save({ id: state.id, hostKeys: [next] });
  } catch (error) {
    await renewed[Symbol.asyncDispose]();
    throw error;
  }
  await shell[Symbol.asyncDispose]();
  return renewed;
}

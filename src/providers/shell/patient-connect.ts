import { setTimeout as delay } from "node:timers/promises";
import { SummitError } from "../../core/errors.ts";
import type { Again, Attempt, Authenticated } from "./handshake.ts";

export interface Patience {
  /** Seconds; 0 tries once. */
  readonly patience: number;
  /** Seconds for one try. */
  readonly connectTimeout: number;
  readonly signal: AbortSignal;
}

/**
 * Tries until it works, until a failure that time does not cure, or until patience is used up; then throws the last
 * failure. Refused logins are tried again too: on a fresh machine sshd answers before cloud-init has written the
 * authorized keys. They are spaced further apart, since sshd penalises addresses that fail often.
 */
export async function connectPatiently(
  { patience, connectTimeout, signal }: Patience,
  attempt: (timeout: number) => Promise<Attempt>,
): Promise<Authenticated> {
  const start = performance.now();
  const left = (): number => patience - (performance.now() - start) / 1000;
  for (let tries = 1; ; tries += 1) {
    const timeout = tries === 1 ? connectTimeout : Math.min(connectTimeout, Math.max(1, left()));
    const result = await attempt(timeout);
    if ("connected" in result) return result.connected;
    const pause = pauseAfter(tries, result.again);
    if (result.again === "never" || pause > left()) throw result.failure;
    await delay(pause * 1000, undefined, { signal }).catch((cause: unknown) => {
      throw new SummitError("interrupted", "connecting was interrupted", { cause });
    });
  }
}

/** Seconds: 0.1 growing to 1, or 1 growing to 4 after a refused login. */
export const pauseAfter = (tries: number, again: Again): number =>
  again === "slowly" ? Math.min(4, 2 ** (tries - 1)) : Math.min(1, 0.1 * 1.5 ** (tries - 1));

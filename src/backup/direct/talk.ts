import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { SummitError } from "../../core/errors.ts";
import type { SignedRequest } from "../../core/ports/direct-transfer.ts";
import type { RemoteProcess } from "../../core/ports/shell.ts";

/** Tries of one request, with pauses that double from a quarter of a second to eight. */
const TRIES = 7;

/** Each try is signed anew, so a second refusal of that kind is no matter of time. */
const FOR_GOOD = /^(401|403|404)\b/;

/** What a program of the direct path says, one fact at a time. A line that is no JSON object is of kind `remote`. */
export async function* hear(child: RemoteProcess): AsyncGenerator<Record<string, unknown>> {
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  // After an abort the stream fails once more, when nobody iterates any longer.
  lines.on("error", () => undefined);
  for await (const line of lines) {
    const fact = line.length > 10_000_000 ? undefined : parsed(line);
    if (typeof fact !== "object" || fact === null) {
      throw new SummitError("remote", "the machine's transfer program said something that cannot be understood", {
        hint: "run the same command again",
      });
    }
    yield fact as Record<string, unknown>;
  }
}

export function say(child: RemoteProcess, fact: object): void {
  child.stdin.write(`${JSON.stringify(fact)}\n`);
}

/** Where a signed URL is revealed: to the standard input of the program that uses it, over the encrypted link. */
export const sayRequest = (child: RemoteProcess, { url, headers }: SignedRequest, more: object = {}): void =>
  say(child, { url: url.reveal(), headers, ...more });

/** Counts the refusals of one request after the other. */
export class Refusals {
  readonly #signal: AbortSignal;
  #count = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The request went through. */
  over(): void {
    this.#count = 0;
  }

  /** Resolves when it may be tried again. Rejects with kind `store` when it was tried often enough. */
  async wait(what: string, why: unknown): Promise<void> {
    this.#count += 1;
    const reason = String(why).trim().slice(0, 200);
    if (this.#count === TRIES || (this.#count === 2 && FOR_GOOD.test(reason))) {
      throw new SummitError("store", `${what} ${this.#count} times: ${reason}`, {
        hint: "summitctl doctor",
      });
    }
    await delay(Math.min(8000, 125 * 2 ** this.#count), undefined, { signal: this.#signal });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

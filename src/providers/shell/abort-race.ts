import { setMaxListeners } from "node:events";

export interface AbortRace {
  readonly signals: readonly AbortSignal[];
  /** Seconds. */
  readonly wait: number;
  /** Throws. */
  readonly refuse: () => void;
}

/**
 * A machine that does not answer must not hold up an abort: after `wait` seconds it is given up. Should the process
 * start after all, it is stopped at once, since it sees the aborted signal.
 */
export async function unlessAborted<T>(started: Promise<T>, { signals, wait, refuse }: AbortRace): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: () => void = () => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      try {
        refuse();
      } catch (error) {
        reject(error);
      }
    };
    onAbort = () => {
      timer ??= setTimeout(giveUp, wait * 1000);
    };
  });
  // One signal is shared by every process of the program.
  setMaxListeners(0, ...signals);
  for (const signal of signals) signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([started, givenUp]);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener("abort", onAbort);
  }
}

import { exitCode, SummitError } from "./core/errors.ts";

export interface ProcessOwner {
  /** Says a line to the operator. */
  note(line: string): void;
  /** Shows an error that nobody caught and returns its exit code. */
  broken(thrown: unknown): number;
  /** Ends the process at once. */
  leave(status: number): void;
}

export interface OwnedProcess extends AsyncDisposable {
  /** Aborts on the first signal; the reason is a SummitError of kind `interrupted`. */
  readonly signal: AbortSignal;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Takes charge of signals, of errors that nobody caught and of output that nobody reads, until it is disposed of.
 * The first signal aborts, the second leaves.
 */
export function ownProcess({ note, broken, leave }: ProcessOwner): OwnedProcess {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      leave(exitCode("interrupted"));
      return;
    }
    controller.abort(
      new SummitError("interrupted", `interrupted by ${name}`, {
        hint: "run the same command again: what was done is kept, what was half done is made good",
      }),
    );
    note(name === "SIGINT" ? "stopping; press Ctrl-C again to leave at once" : `${name}: stopping`);
  };
  const onBroken = (thrown: unknown): void => leave(broken(thrown));

  for (const name of SIGNALS) process.on(name, onSignal);
  process.on("uncaughtException", onBroken).on("unhandledRejection", onBroken);
  for (const stream of [process.stdout, process.stderr]) stream.off("error", ignoreGone).on("error", ignoreGone);
  return {
    signal: controller.signal,
    async [Symbol.asyncDispose]() {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.off("uncaughtException", onBroken).off("unhandledRejection", onBroken);
    },
  };
}

/**
 * `| head` or a terminal that was closed: what nobody reads is dropped, and the command goes on, because a failover
 * must not end with somebody's pager. The listeners stay, since the streams fail after the command too.
 */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}

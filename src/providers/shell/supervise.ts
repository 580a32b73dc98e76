import { setMaxListeners } from "node:events";
import { SummitError } from "../../core/errors.ts";
import type { ExitStatus, RemoteProcess } from "../../core/ports/shell.ts";
import type { ProcessStreams } from "./process-streams.ts";

/** What messages call it. `program` only: arguments may be long, and nobody promises that they are harmless. */
export interface ProcessTitle {
  readonly shell: string;
  readonly program: string;
}

/** A process in a group of its own, as a transport started it. */
export interface GroupProcess {
  readonly streams: ProcessStreams;
  /** Resolves when it has ended and its output was handed over; rejects with kind `remote` when that is unknown. */
  readonly ended: Promise<ExitStatus>;
  /** Ends the group: TERM, then KILL. Resolves in bounded time, also when it failed. */
  endGroup(): Promise<void>;
  /** Lets go of the transport; `ended` settles soon after. */
  release(): void;
}

export interface SupervisedProcess extends RemoteProcess {
  /** Ends the group; `exit` rejects with `reason` when that is done. Repeated calls do nothing. */
  stop(reason: SummitError): void;
}

/**
 * Joins a process with the signals that may end it. Its streams get the reason at once, `exit` rejects once the group
 * was ended. A stream that the caller destroys before its end also ends the group (closing the input would tell the
 * process that it is complete); `exit` then tells how it ended.
 */
export function supervise(
  process: GroupProcess,
  title: ProcessTitle,
  signals: readonly AbortSignal[],
): SupervisedProcess {
  const { streams } = process;
  let over = false;
  let stop: (reason: SummitError) => void = () => {};
  const exit = new Promise<ExitStatus>((resolve, reject) => {
    const settle = (act: () => void): void => {
      over = true;
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = (): void => stop(interrupted(title));
    stop = (reason) => {
      if (over) return;
      over = true;
      streams.fail(reason);
      void process.endGroup().finally(() => {
        process.release();
        settle(() => reject(reason));
      });
    };
    process.ended.then(
      (status) => over || settle(() => resolve(status)),
      (error: unknown) => over || settle(() => reject(error)),
    );
    void streams.discarded.then(async () => {
      if (over) return;
      await process.endGroup();
      // The exit status may still be on its way.
      const timer = setTimeout(() => process.release(), 2000);
      await process.ended.catch(() => {});
      clearTimeout(timer);
    });
    // One signal is shared by every process of the program.
    setMaxListeners(0, ...signals);
    for (const signal of signals) {
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    }
  });
  // A caller that fails before it awaits the exit must not bring the program down.
  exit.catch(() => {});
  return { stdin: streams.stdin, stdout: streams.stdout, stderr: streams.stderr, exit, stop };
}

const interrupted = ({ shell, program }: ProcessTitle): SummitError =>
  new SummitError("interrupted", `${program} on ${shell} was interrupted`);

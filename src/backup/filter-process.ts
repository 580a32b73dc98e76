import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Argv } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import { lastText } from "./last-text.ts";

/** A program of this computer that reads its input and writes its output, such as a compressor. */
export interface FilterProcess extends AsyncDisposable {
  readonly output: Readable;
  /** Resolves when more can be written. Of a program that has ended it takes anything: how it ended says more. */
  write(chunk: Uint8Array): Promise<void>;
  endInput(): void;
  /**
   * When it has ended well. Rejects with kind `verification` and the program's own words when it did not, and with kind
   * `unexpected` when it was killed or could not run.
   */
  ended(): Promise<void>;
}

/** Starts it. When disposed of it runs no more. `doing` is what a failure of it means: `the file cannot be unpacked`. */
export function startFilter([program, ...args]: Argv, doing: string): FilterProcess {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const messages = lastText(child.stderr, 4096);
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => undefined);
  // A program that gives up early breaks the pipe.
  child.stdin.on("error", () => undefined);
  return {
    output: child.stdout,
    async write(chunk) {
      if (!child.stdin.writable || child.stdin.write(chunk)) return;
      await eitherOf(child.stdin, "drain", "close");
    },
    endInput: () => void child.stdin.end(),
    async ended() {
      const [code, killer] = await closed;
      if (code === 0) return;
      if (killer !== null)
        throw new SummitError("unexpected", `${program} was ended by ${killer}`, { hint: "run it again" });
      throw new SummitError("verification", `${doing}: ${messages().trim() || `${program} ended with ${code}`}`);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill("SIGKILL");
      await closed.catch(() => undefined);
    },
  };
}

/** Not two `once`: the one that does not happen would stay, for each write. */
const eitherOf = (stream: Writable, ...events: readonly [string, string]): Promise<void> =>
  new Promise((resolve) => {
    const happened = (): void => {
      for (const event of events) stream.off(event, happened);
      resolve();
    };
    for (const event of events) stream.on(event, happened);
  });

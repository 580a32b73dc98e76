import { spawn } from "node:child_process";

/** Seconds that a command may take. */
export const COMMAND_SECONDS = 30;

const OUTPUT_LIMIT = 1024 * 1024 + 1;

export interface CommandPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default 30 s. */
  readonly limit?: number;
}

export interface CommandOutput {
  /** At most one byte more than a secret may have. */
  readonly stdout: Uint8Array;
  readonly stderr: string;
  /** How it failed, in words: `ended with exit status 2`. Undefined: it succeeded. */
  readonly ending: string | undefined;
}

export type RunSecretCommand = (command: string, place: CommandPlace) => Promise<CommandOutput>;

/** Runs `sh -c COMMAND` in a folder. Resolves however it ends; everything it started is ended at the time limit. */
export const runSecretCommand: RunSecretCommand = (command, { env, folder, signal, limit = COMMAND_SECONDS * 1000 }) =>
  new Promise((settle) => {
    // With a terminal it stays in our process group, so that it can ask for a passphrase there.
    const hasTerminal = process.stdin.isTTY === true;
    const child = spawn("sh", ["-c", command], {
      cwd: folder,
      env: { ...env },
      stdio: [hasTerminal ? "inherit" : "ignore", "pipe", "pipe"],
      detached: !hasTerminal,
    });
    const stdout: Buffer[] = [];
    let stdoutSize = 0;
    let stderr = "";
    let stopped: string | undefined;

    const finish = (ending: string | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      child.stdout?.destroy();
      child.stderr?.destroy();
      settle({ stdout: Buffer.concat(stdout), stderr, ending });
    };
    const stop = (why: string): void => {
      stopped ??= why;
      try {
        if (child.pid !== undefined) process.kill(hasTerminal ? child.pid : -child.pid, "SIGKILL");
      } catch {
        // It has ended by itself in the meantime.
      }
      finish(stopped);
    };
    const onAbort = (): void => stop("was interrupted");
    const timer = setTimeout(() => stop(`did not end within ${limit / 1000} s`), limit);

    child.stdout?.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      stdoutSize += chunk.length;
      if (stdoutSize > OUTPUT_LIMIT) stop("printed more than 1 MiB");
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-4096);
    });
    child.once("error", (error) => finish(`could not be started: ${error.message}`));
    child.once("close", (code, killedBy) => {
      finish(
        stopped ??
          (code === 0 ? undefined : code === null ? `was ended by ${killedBy}` : `ended with exit status ${code}`),
      );
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });

import { execa } from "execa";
import type { LocalRun, RunLocal } from "../../core/deps.ts";

/** Ended with the command that asked for it. */
export const runLocal =
  (signal: AbortSignal): RunLocal =>
  async ([program, ...args], { input = "", timeout = 60 } = {}): Promise<LocalRun> => {
    const ended = await execa(program, args, {
      input,
      reject: false,
      timeout: timeout * 1000,
      cancelSignal: signal,
      stripFinalNewline: false,
    });
    signal.throwIfAborted();
    const { exitCode, stdout, stderr } = ended;
    const late = ended.timedOut ? `did not end within ${timeout} s` : undefined;
    return { code: exitCode, stdout, stderr: late ?? (exitCode === undefined ? (ended.shortMessage ?? "") : stderr) };
  };

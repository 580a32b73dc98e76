import { spawn } from "node:child_process";
import { SummitError } from "../core/errors.ts";
import type { Outcome } from "./notify.ts";

/** Seconds that a command may take, such as `mail` when its server is slow. */
const LIMIT = 30;

/**
 * Runs the operator's own command with the text on its standard input and the facts in `SUMMIT_…` variables. Rejects with kind
 * `remote` when it cannot be started, fails, or does not end in time; then everything it started is ended.
 */
export const runNotifyCommand = (
  command: readonly string[],
  { job, project, environment, exit }: Outcome,
  text: string,
  limit = LIMIT,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = command;
    const child = spawn(program, args, {
      env: {
        ...process.env,
        SUMMIT_JOB: job,
        SUMMIT_PROJECT: project,
        SUMMIT_ENVIRONMENT: environment,
        SUMMIT_STATUS: exit === 0 ? "success" : "failure",
        SUMMIT_EXIT: String(exit),
      },
      stdio: ["pipe", "ignore", "ignore"],
      // A group of its own, so that Ctrl-C does not end the mail that tells of it.
      detached: true,
    });
    const fail = (what: string): void => reject(new SummitError("remote", `"${program}" ${what}`));
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      fail(`did not end within ${limit} s`);
    }, limit * 1000);
    child.once("error", (error) => {
      clearTimeout(timer);
      fail(`could not be started: ${error.message}`);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else fail(code === null ? `was ended by ${signal}` : `ended with exit status ${code}`);
    });
    // It may end without reading.
    child.stdin.on("error", () => {});
    child.stdin.end(text);
  });

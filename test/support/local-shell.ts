import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Argv } from "../../src/core/argv.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ExitStatus, RunOptions, Shell } from "../../src/core/ports/shell.ts";
import { collectRun, mustSucceed } from "../../src/providers/shell/collect-run.ts";
import { ProcessStreams } from "../../src/providers/shell/process-streams.ts";
import { startLine } from "../../src/providers/shell/remote-line.ts";
import { type GroupProcess, type SupervisedProcess, supervise } from "../../src/providers/shell/supervise.ts";

const GRACE_MS = 5000;

export interface LocalShellOptions {
  readonly name?: string;
  readonly signal?: AbortSignal;
  /** Between TERM and KILL, in milliseconds. */
  readonly grace?: number;
}

/**
 * A Shell whose machine is this computer: commands run as local child processes, as the present user. `as` works when
 * that is root and is ignored otherwise. It passes the same contract suite as the SSH adapter.
 */
export function createLocalShell({ name = "local", signal, grace = GRACE_MS }: LocalShellOptions = {}): Shell {
  const running = new Set<SupervisedProcess>();
  let disposed = false;
  const title = ([program]: Argv) => ({ shell: name, program });

  async function start(argv: Argv, options: Pick<RunOptions, "as" | "signal">): Promise<SupervisedProcess> {
    const signals = [signal, options.signal].filter((one) => one !== undefined);
    if (disposed || signals.some((one) => one.aborted)) {
      throw new SummitError("interrupted", `${argv[0]} was not started on ${name}: interrupted`);
    }
    const token = `summitctl-${randomBytes(12).toString("hex")}`;
    const as = process.getuid?.() === 0 ? options.as : undefined;
    const child = spawn("/bin/sh", ["-c", startLine({ user: "root" }, argv, { as, token })], { detached: true });
    const supervised = supervise(childProcess(child, { name, program: argv[0], token, grace }), title(argv), signals);
    running.add(supervised);
    const forget = (): void => void running.delete(supervised);
    supervised.exit.then(forget, forget);
    return supervised;
  }

  return {
    hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    open: (argv, options = {}) => start(argv, options),
    run: async (argv, options = {}) => collectRun(await start(argv, options), title(argv), options),
    must: async (argv, options = {}) =>
      mustSucceed(title(argv), await collectRun(await start(argv, options), title(argv), options)),
    async [Symbol.asyncDispose]() {
      disposed = true;
      for (const one of running) one.stop(new SummitError("interrupted", `the connection to ${name} was closed`));
      await Promise.allSettled([...running].map(({ exit }) => exit));
    },
  };
}

interface ChildRequest {
  readonly name: string;
  readonly program: string;
  readonly token: string;
  readonly grace: number;
}

function childProcess(
  child: ChildProcessWithoutNullStreams,
  { name, program, token, grace }: ChildRequest,
): GroupProcess {
  const streams = new ProcessStreams(child, token);
  const ended = new Promise<ExitStatus>((resolve, reject) => {
    child.once("close", (code, signal) => {
      void streams.drained.then(() => {
        if (streams.marker.group === undefined) {
          return reject(new SummitError("remote", `${name} did not start ${program}`));
        }
        streams.finish();
        return resolve(code === null ? { code: undefined, signal: signal ?? "SIGKILL" } : { code, signal: undefined });
      });
    });
    child.once("error", (cause) => reject(new SummitError("remote", `${name} did not start ${program}`, { cause })));
  });
  ended.catch(() => {});
  return {
    streams,
    ended,
    async endGroup() {
      const group = -(child.pid ?? 0);
      if (!signalGroup(group, "SIGTERM")) return;
      for (const until = Date.now() + grace; Date.now() < until && signalGroup(group, 0); ) await pause(50);
      signalGroup(group, "SIGKILL");
    },
    release() {
      for (const stream of child.stdio) stream?.destroy();
    },
  };
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(group, signal);
  } catch {
    return false;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

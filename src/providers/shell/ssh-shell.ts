import { randomBytes } from "node:crypto";
import type { Argv } from "../../core/argv.ts";
import { SummitError } from "../../core/errors.ts";
import type {
  ExitStatus,
  RemoteProcess,
  RunOptions,
  RunResult,
  TerminalIo,
  TerminalShell,
} from "../../core/ports/shell.ts";
import { unlessAborted } from "./abort-race.ts";
import { channelProcess } from "./channel-process.ts";
import { collectRun, mustSucceed } from "./collect-run.ts";
import { type Login, startLine } from "./remote-line.ts";
import type { SshLink } from "./ssh-link.ts";
import type { SshTiming } from "./ssh-timing.ts";
import { type ProcessTitle, type SupervisedProcess, supervise } from "./supervise.ts";
import { openTerminal } from "./terminal.ts";

export interface SshShellParts {
  readonly link: SshLink;
  readonly login: Login;
  readonly timing: SshTiming;
  /** Ends every process of this shell. */
  readonly signals: readonly AbortSignal[];
}

/**
 * Commands run in `/`, as leaders or members of a process group that is known here, with sudo's clean environment.
 * At most eight run at once; further ones wait.
 */
export class SshShell implements TerminalShell {
  readonly hostKey: string;
  readonly #parts: SshShellParts;
  readonly #running = new Set<SupervisedProcess>();
  #disposed = false;

  constructor(parts: SshShellParts) {
    this.#parts = parts;
    this.hostKey = parts.link.hostKey;
  }

  async run(argv: Argv, options: RunOptions = {}): Promise<RunResult> {
    return collectRun(await this.#start(argv, options), this.#title(argv), options);
  }

  async must(argv: Argv, options: RunOptions = {}): Promise<string> {
    return mustSucceed(this.#title(argv), await this.run(argv, options));
  }

  open(argv: Argv, options: Omit<RunOptions, "input" | "timeout"> = {}): Promise<RemoteProcess> {
    return this.#start(argv, options);
  }

  terminal(io: TerminalIo): Promise<ExitStatus> {
    return openTerminal(this.#parts.link, io);
  }

  /** Ends what still runs (its `exit` rejects with kind `interrupted`), then closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const { link } = this.#parts;
    for (const process of this.#running) process.stop(this.#closed());
    await Promise.allSettled([...this.#running].map(({ exit }) => exit));
    await link.close();
  }

  #start(argv: Argv, { as, signal }: Pick<RunOptions, "as" | "signal">): Promise<SupervisedProcess> {
    const { link, login, timing } = this.#parts;
    const title = this.#title(argv);
    const signals = signal === undefined ? this.#parts.signals : [...this.#parts.signals, signal];
    const token = `summitctl-${randomBytes(12).toString("hex")}`;
    const line = startLine(login, argv, { as, token });
    const before = (): void => this.#refuseWhenOver(title, signals);
    before();
    const started = link.exec(line, {
      before,
      use: (channel) => {
        const request = { link, login, title, timing, token };
        const process = supervise(channelProcess(channel, request), title, signals);
        this.#keep(process);
        return process;
      },
    });
    return unlessAborted(started, {
      signals,
      wait: timing.endSlack,
      refuse: () => this.#refuseWhenOver(title, signals),
    });
  }

  #keep(process: SupervisedProcess): void {
    this.#running.add(process);
    const forget = (): void => void this.#running.delete(process);
    process.exit.then(forget, forget);
    if (this.#disposed) process.stop(this.#closed());
  }

  #closed(): SummitError {
    return new SummitError("interrupted", `the connection to ${this.#parts.link.name} was closed`);
  }

  #refuseWhenOver({ shell, program }: ProcessTitle, signals: readonly AbortSignal[]): void {
    if (this.#disposed || signals.some((signal) => signal.aborted)) {
      throw new SummitError("interrupted", `${program} was not started on ${shell}: interrupted`);
    }
  }

  #title([program]: Argv): ProcessTitle {
    return { shell: this.#parts.link.name, program };
  }
}

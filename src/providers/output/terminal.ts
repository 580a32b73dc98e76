import { Chalk, type ChalkInstance } from "chalk";
import type { Output, Task, Versioned, View } from "../../core/ports/output.ts";
import type { Now } from "../../core/time.ts";
import { type LiveArea, liveArea } from "./live-area.ts";
import { printable } from "./printable.ts";
import { RateMeter } from "./rate-meter.ts";
import type { Every, OutputStream } from "./streams.ts";
import { endLine, progressLine, type TaskState } from "./task-line.ts";
import { viewText } from "./view-text.ts";

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Whether to colour each of them. */
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
  readonly verbose: boolean;
  readonly now: Now;
  readonly every: Every;
}

const FRAMES = ["|", "/", "-", "\\"] as const;
const REDRAW = 120;
/** Milliseconds between lines about a running task where lines cannot be redrawn. */
const REPORT = 10_000;

interface RunningTask extends TaskState {
  /** When a line about it was last due; unused on a terminal. */
  reportedAt: number;
}

/** Results as text on stdout; talk and tasks on stderr, redrawn in place when that is a terminal. */
export class TerminalOutput implements Output {
  readonly #options: TerminalOptions;
  readonly #out: ChalkInstance;
  readonly #err: ChalkInstance;
  readonly #area: LiveArea | undefined;
  readonly #running = new Set<RunningTask>();
  #stop: (() => void) | undefined;
  #frame = 0;
  #paused = false;
  #answered = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#out = new Chalk({ level: options.color.stdout ? 1 : 0 });
    this.#err = new Chalk({ level: options.color.stderr ? 1 : 0 });
    this.#area = options.stderr.isTTY ? liveArea(options.stderr) : undefined;
  }

  result<T extends Versioned>(value: T, view: (value: T) => View): void {
    if (this.#answered) throw new Error("a command has one result");
    this.#answered = true;
    const { stdout } = this.#options;
    const text = viewText(view(value), { chalk: this.#out, columns: (stdout.isTTY && stdout.columns) || undefined });
    this.#above(() => stdout.write(text));
  }

  show<T extends Versioned>(value: T, view: (value: T) => View): void {
    const { stderr } = this.#options;
    const text = viewText(view(value), { chalk: this.#err, columns: (stderr.isTTY && stderr.columns) || undefined });
    this.#above(() => stderr.write(text));
  }

  note(line: string): void {
    this.#say(printable(line));
  }

  warn(line: string): void {
    this.#say(`${this.#err.yellow("warning:")} ${printable(line)}`);
  }

  debug(line: string): void {
    if (this.#options.verbose) this.#say(this.#err.dim(printable(line)));
  }

  task(title: string): Task {
    const at = this.#time();
    const task: RunningTask = { title, startedAt: at, reportedAt: at, meter: new RateMeter(), latest: {} };
    this.#running.add(task);
    this.#stop ??= this.#options.every(this.#area ? REDRAW : 1000, () => this.#tick());
    this.#draw();
    return {
      progress: (progress) => {
        task.latest = { ...task.latest, ...progress };
        if (progress.bytes !== undefined) task.meter.add(this.#time(), progress.bytes);
      },
      done: (text) => this.#end(task, this.#err.green("ok"), text),
      fail: (text) => this.#end(task, this.#err.red("failed"), text),
    };
  }

  /** Keeps the live lines away while somebody else uses the terminal; returns what brings them back. */
  pause(): () => void {
    this.#paused = true;
    this.#area?.clear();
    return () => {
      this.#paused = false;
      this.#draw();
    };
  }

  /** Ends the live lines; what still ran is said to have stopped. Nothing is drawn afterwards. */
  close(): void {
    for (const task of [...this.#running]) this.#end(task, this.#err.yellow("stopped"), undefined);
    this.#stopTicking();
  }

  #end(task: RunningTask, outcome: string, text: string | undefined): void {
    if (!this.#running.delete(task)) return;
    if (this.#running.size === 0) this.#stopTicking();
    this.#say(`${outcome} ${endLine(task, text, this.#time())}`);
  }

  #tick(): void {
    this.#frame += 1;
    if (this.#area) {
      this.#draw();
      return;
    }
    const now = this.#time();
    for (const task of this.#running) {
      if (now - task.reportedAt < REPORT) continue;
      task.reportedAt = now;
      this.#say(`... ${progressLine(task, now)}`);
    }
  }

  #draw(): void {
    if (!this.#area || this.#paused || this.#running.size === 0) return;
    const now = this.#time();
    const mark = FRAMES[this.#frame % FRAMES.length];
    this.#area.draw([...this.#running].map((task) => `${mark} ${progressLine(task, now)}`));
  }

  #say(line: string): void {
    this.#above(() => this.#options.stderr.write(`${line}\n`));
  }

  /** Permanent text goes above the live lines. */
  #above(write: () => void): void {
    this.#area?.clear();
    write();
    this.#draw();
  }

  #stopTicking(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #time(): number {
    return this.#options.now().getTime();
  }
}

import type { Output, Progress, Task, Versioned, View } from "../../core/ports/output.ts";
import type { Now } from "../../core/time.ts";
import type { OutputStream } from "./streams.ts";

const THROTTLE = 1000;

export interface JsonOptions {
  readonly stdout: OutputStream;
  readonly verbose: boolean;
  readonly now: Now;
}

/**
 * One JSON object per line on stdout: events (`summitctl.event.v1`) as they happen, and the result as the very last
 * line, written by `close`.
 */
export class JsonOutput implements Output {
  readonly #options: JsonOptions;
  readonly #running = new Map<number, (state: "failed", text: string) => void>();
  #tasks = 0;
  #result: string | undefined;

  constructor(options: JsonOptions) {
    this.#options = options;
  }

  result<T extends Versioned>(value: T, _view: (value: T) => View): void {
    if (this.#result !== undefined) throw new Error("a command has one result");
    this.#result = JSON.stringify(value);
  }

  show<T extends Versioned>(value: T, _view: (value: T) => View): void {
    this.#event({ level: "shown", value });
  }

  note(line: string): void {
    this.#event({ level: "note", message: line });
  }

  warn(line: string): void {
    this.#event({ level: "warning", message: line });
  }

  debug(line: string): void {
    if (this.#options.verbose) this.#event({ level: "debug", message: line });
  }

  task(title: string): Task {
    this.#tasks += 1;
    const id = this.#tasks;
    const startedAt = this.#time();
    let latest: Progress = {};
    let told = startedAt;
    const tell = (state: string, more: object = {}): void => this.#event({ task: title, id, state, ...more });
    const end = (state: "done" | "failed", text: string | undefined): void => {
      if (!this.#running.delete(id)) return;
      tell(state, { ...latest, text, seconds: (this.#time() - startedAt) / 1000 });
    };
    this.#running.set(id, end);
    tell("started");
    return {
      progress: (progress) => {
        latest = { ...latest, ...progress };
        if (!this.#running.has(id) || this.#time() - told < THROTTLE) return;
        told = this.#time();
        tell("progress", latest);
      },
      done: (text) => end("done", text),
      fail: (text) => end("failed", text),
    };
  }

  /** Nothing is redrawn, so nothing stands in the way of a question. */
  pause(): () => void {
    return () => {};
  }

  /** Ends what still runs and writes the result. Call it once, last. */
  close(): void {
    for (const end of [...this.#running.values()]) end("failed", "stopped");
    if (this.#result !== undefined) this.#options.stdout.write(`${this.#result}\n`);
    this.#result = undefined;
  }

  #event(fields: object): void {
    const line = { schema: "summitctl.event.v1", time: this.#options.now().toISOString(), ...fields };
    this.#options.stdout.write(`${JSON.stringify(line)}\n`);
  }

  #time(): number {
    return this.#options.now().getTime();
  }
}

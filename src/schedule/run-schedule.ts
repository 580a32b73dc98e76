import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { nextRun, type Timetable } from "../core/cron/run-times.ts";
import type { Deps } from "../core/deps.ts";
import { messageOf } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import { durationText } from "../core/time.ts";
import { type Decision, decide, type Handled } from "./due.ts";
import type { LastBackup } from "./last-backup.ts";

export interface ScheduleDeps extends Pick<Deps, "out" | "now" | "signal"> {
  /** Calls back about once a minute until it is disposed of, whatever the clock does. */
  ticker(onTick: () => void): Promise<Disposable>;
  /** Seconds of a clock that nobody sets. */
  uptime(): number;
  /** When it ran last, as the store tells. */
  lastRun(): Promise<LastBackup | undefined>;
  /** Runs it and resolves with one line about what came of it. Not aborted by `signal`. */
  runJob(): Promise<string>;
}

export interface ScheduleSettings {
  readonly job: string;
  readonly table: Timetable;
  /** Seconds. */
  readonly jitter: number;
  readonly catchUp: boolean;
  /** Makes the jitter of two computers differ. */
  readonly seed: string;
}

export interface ScheduleRunResult {
  readonly schema: "summitctl.schedule-run.v1";
  readonly job: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Runs a job whenever its timetable says so, until the signal; a run that goes on then is waited for. What a run
 * throws is told and counted, and the next one comes in its time.
 */
export async function runSchedule(settings: ScheduleSettings, deps: ScheduleDeps): Promise<ScheduleRunResult> {
  const run = new ScheduleRun(settings, deps);
  return await run.untilStopped();
}

class ScheduleRun {
  readonly #settings: ScheduleSettings;
  readonly #deps: ScheduleDeps;
  readonly #counts = { succeeded: 0, failed: 0, skipped: 0 };
  #handled: Handled | undefined;
  #running: Promise<void> | undefined;

  constructor(settings: ScheduleSettings, deps: ScheduleDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  async untilStopped(): Promise<ScheduleRunResult> {
    const { signal } = this.#deps;
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    {
      using _ticker = await this.#deps.ticker(() => this.#tick());
      this.#tick();
      await stopped;
    }
    await this.#running;
    return { schema: "summitctl.schedule-run.v1", job: this.#settings.job, ...this.#counts };
  }

  #tick(): void {
    if (this.#deps.signal.aborted) return;
    const facts = {
      now: this.#deps.now(),
      uptime: this.#deps.uptime(),
      catchUp: this.#settings.catchUp,
      running: this.#running !== undefined,
    };
    const isFirst = this.#handled === undefined;
    const { decision, handled } = decide(this.#settings.table, facts, this.#handled);
    this.#handled = handled;
    if (decision.kind === "wait") {
      const line = `${this.#settings.job}: nothing is due, ${this.#next()}`;
      if (isFirst) this.#deps.out.note(line);
      else this.#deps.out.debug(line);
      return;
    }
    if (decision.kind === "skip") {
      this.#skip(decision.slot, decision.why);
      return;
    }
    this.#running = this.#run(decision).finally(() => {
      this.#running = undefined;
    });
  }

  /** Never rejects. */
  async #run({ slot, late }: Extract<Decision, { kind: "run" }>): Promise<void> {
    const { out, signal } = this.#deps;
    const { job } = this.#settings;
    try {
      const wait = jitterOf(this.#settings, slot) * 1000;
      if (wait > 0) {
        out.note(`${job} of ${slot.toISOString()}: due, begins in ${durationText(wait / 1000)}`);
        await pause(wait, undefined, { signal });
      }
    } catch {
      return;
    }
    const covering = await this.#covering(slot);
    if (covering !== undefined) {
      this.#skip(slot, `${covering} was taken since`);
      return;
    }
    if (signal.aborted) return;
    const why = late > 0 ? `, missed ${durationText(late)} ago and made up for now` : "";
    out.note(`${job} of ${slot.toISOString()}: begins${why}`);
    try {
      const line = await this.#deps.runJob();
      this.#counts.succeeded += 1;
      out.note(`${job} of ${slot.toISOString()}: ${line}; ${this.#next()}`);
    } catch (error) {
      this.#counts.failed += 1;
      out.warn(`${job} of ${slot.toISOString()} FAILED: ${messageOf(error)}; ${this.#next()}`);
    }
  }

  /** The backup that somebody took since that time. What cannot be found out is no reason not to take one. */
  async #covering(slot: Date): Promise<string | undefined> {
    try {
      const last = await this.#deps.lastRun();
      return last !== undefined && last.at >= slot ? last.id : undefined;
    } catch (error) {
      this.#deps.out.warn(`when it ran last could not be found out: ${messageOf(error)}`);
      return undefined;
    }
  }

  #skip(slot: Date, why: string): void {
    this.#counts.skipped += 1;
    this.#deps.out.note(`${this.#settings.job} of ${slot.toISOString()}: skipped, ${why}; ${this.#next()}`);
  }

  #next = (): string => `next ${nextRun(this.#settings.table, this.#deps.now()).toISOString()}`;
}

/** Seconds, the same for one run however often it is asked. */
export function jitterOf({ job, jitter, seed }: ScheduleSettings, slot: Date): number {
  const digest = createHash("sha256").update(`${seed} ${job} ${slot.getTime()}`).digest();
  return (digest.readUInt32BE(0) / 0x1_0000_0000) * jitter;
}

export const scheduleRunView = ({ job, succeeded, failed, skipped }: ScheduleRunResult): View => [
  { text: `${job}: ${succeeded} succeeded, ${failed} failed, ${skipped} skipped` },
];

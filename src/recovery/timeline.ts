import type { Now } from "../core/time.ts";

export interface Moment {
  readonly name: string;
  /** Seconds after the start, when it began and when it ended. */
  readonly from: number;
  readonly to: number;
}

/** What happened when, for the operator and for the next plan's estimates. */
export class Timeline {
  readonly #now: Now;
  readonly #start: number;
  readonly moments: Moment[] = [];

  constructor(now: Now) {
    this.#now = now;
    this.#start = now().getTime();
  }

  seconds(): number {
    return (this.#now().getTime() - this.#start) / 1000;
  }

  /** Runs a step and records it, also when it fails. */
  async record<T>(name: string, step: () => Promise<T>): Promise<T> {
    const from = this.seconds();
    try {
      return await step();
    } finally {
      this.moments.push({ name, from, to: this.seconds() });
    }
  }
}

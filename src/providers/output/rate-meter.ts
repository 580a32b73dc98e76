const WINDOW = 10_000;

/** Bytes per second over the last ten seconds, so that a stall shows and an early burst is forgotten. */
export class RateMeter {
  readonly #samples: { at: number; bytes: number }[] = [];

  /** `at` in milliseconds. */
  add(at: number, bytes: number): void {
    this.#samples.push({ at, bytes });
    // The newest sample outside the window stays: it is where the window starts.
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) < at - WINDOW) this.#samples.shift();
  }

  /** Undefined until half a second was seen. */
  rate(now: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || now - first.at < 500) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (now - first.at);
  }
}

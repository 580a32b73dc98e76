const LIMIT = 64 * 1024;

/**
 * Takes the one line `TOKEN PGID` out of a process's stderr and leaves every other byte as it was. What comes before
 * it (sudo's or the login shell's own words) is kept too.
 */
export class GroupMarker {
  /** Undefined until the line was seen. While it is, the command has not been started. */
  group: number | undefined;
  /** Resolves when the line was seen. */
  readonly seen: Promise<void>;
  #see: () => void = () => {};
  readonly #pattern: RegExp;
  #held: Buffer | undefined = Buffer.alloc(0);

  /** `token` is unguessable and made of letters, digits and dashes. */
  constructor(token: string) {
    this.#pattern = new RegExp(`${token} (\\d+)\\n`);
    this.seen = new Promise((resolve) => {
      this.#see = resolve;
    });
  }

  /** What of stderr may be passed on now. */
  take(chunk: Buffer): Buffer {
    if (this.#held === undefined) return chunk;
    const held = Buffer.concat([this.#held, chunk]);
    const found = this.#pattern.exec(held.toString("latin1"));
    if (found === null && held.length < LIMIT) {
      this.#held = held;
      return Buffer.alloc(0);
    }
    this.#held = undefined;
    if (found === null) return held;
    this.group = Number(found[1]);
    this.#see();
    return Buffer.concat([held.subarray(0, found.index), held.subarray(found.index + found[0].length)]);
  }

  /** What was held back when stderr ended without the line. */
  rest(): Buffer {
    const held = this.#held ?? Buffer.alloc(0);
    this.#held = undefined;
    return held;
  }
}

import { Writable } from "node:stream";

/** A stdout or stderr that keeps what was written. */
export class CapturedStream extends Writable {
  text = "";
  readonly isTTY: boolean;
  columns: number;

  constructor({ isTTY = false, columns = 80 }: { isTTY?: boolean; columns?: number } = {}) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** What a terminal would show now: rows of text after carriage returns, cursor moves and erasures. */
  screen(): string[] {
    const rows: string[] = [""];
    let row = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this plays the terminal
    for (const [token] of this.text.matchAll(/\u001b\[\??[\d;]*[A-Za-z]|[\s\S]/g)) {
      if (token === "\n") row += 1;
      else if (token.startsWith("\u001b") && token.endsWith("A")) row -= Number(token.slice(2, -1) || 1);
      else if (token.startsWith("\u001b") && token.endsWith("B")) row += Number(token.slice(2, -1) || 1);
      else if (token === "\u001b[2K") rows[row] = "";
      else if (!token.startsWith("\u001b")) rows[row] = `${rows[row] ?? ""}${token}`;
      rows[row] ??= "";
    }
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }
}

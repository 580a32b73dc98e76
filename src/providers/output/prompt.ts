import { createInterface } from "node:readline/promises";
import { SummitError } from "../../core/errors.ts";
import type { Prompt } from "../../core/ports/output.ts";
import { printable } from "./printable.ts";

export interface PromptOptions {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Where questions go: stderr, since stdout is data. */
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** `--yes` */
  readonly yes: boolean;
  readonly signal: AbortSignal;
  /** Takes live lines off the terminal while a question stands; returns what brings them back. */
  readonly pause: () => () => void;
}

/** Asks on the terminal. Ctrl-C, Ctrl-D and the end of the input at a question are kind `interrupted`. */
export function terminalPrompt(options: PromptOptions): Prompt {
  return {
    async confirm(question) {
      if (options.yes) return true;
      demandTerminal(options, question, "--yes");
      return /^\s*y(es)?\s*$/i.test(await ask(options, `${printable(question)} [y/N] `));
    },
    async typedName(question, name, given) {
      if (given !== undefined) return given === name;
      demandTerminal(options, question, `--confirm ${name}`);
      return (await ask(options, `${printable(question)}\ntype ${printable(name)} to go on: `)).trim() === name;
    },
  };
}

function demandTerminal({ input, output }: PromptOptions, question: string, flag: string): void {
  if (input.isTTY && output.isTTY) return;
  throw new SummitError("usage", `there is no terminal to ask on, and ${flag} was not given`, {
    details: [`the question is: ${question}`],
    hint: `give ${flag}`,
  });
}

async function ask({ input, output, signal, pause }: PromptOptions, question: string): Promise<string> {
  signal.throwIfAborted();
  const resume = pause();
  const lines = createInterface({ input, output, terminal: true });
  try {
    const answer = await new Promise<string | undefined>((resolve, reject) => {
      // In raw mode Ctrl-C is a key that only readline sees.
      lines.once("SIGINT", () => resolve(undefined)).once("close", () => resolve(undefined));
      lines.question(question, { signal }).then(resolve, () => reject(signal.reason));
    });
    if (answer !== undefined) return answer;
    output.write("\n");
    throw new SummitError("interrupted", "interrupted at a question, nothing was answered");
  } finally {
    lines.close();
    resume();
  }
}

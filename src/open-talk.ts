import type { Globals } from "./commands/global-options.ts";
import type { Output, Prompt } from "./core/ports/output.ts";

/** How a command speaks with whoever started it. */
export interface Talk {
  readonly out: Output;
  readonly prompt: Prompt;
  readonly paint: { error(text: string): string; hint(text: string): string };
  /** Writes what is held back and takes live lines away. May be called again; then does nothing. */
  close(): void;
}

/** Loads only what the form asked for needs. */
export async function openTalk(globals: Globals, signal: AbortSignal): Promise<Talk> {
  const [output, { terminalPrompt }] = await Promise.all([
    globals.json ? openJson(globals) : openTerminal(globals),
    import("./providers/output/prompt.ts"),
  ]);
  const { out, paint } = output;
  const prompt = terminalPrompt({
    input: process.stdin,
    output: process.stderr,
    yes: globals.yes,
    signal,
    pause: () => out.pause(),
  });
  return { out, prompt, paint, close: () => out.close() };
}

async function openJson({ verbose }: Globals) {
  const { JsonOutput } = await import("./providers/output/json.ts");
  const plain = (text: string): string => text;
  return {
    out: new JsonOutput({ stdout: process.stdout, verbose, now: () => new Date() }),
    paint: { error: plain, hint: plain },
  };
}

async function openTerminal({ verbose, color: allowed }: Globals) {
  const [{ TerminalOutput }, { every, wantsColor }, { Chalk }] = await Promise.all([
    import("./providers/output/terminal.ts"),
    import("./providers/output/streams.ts"),
    import("chalk"),
  ]);
  const { stdout, stderr } = process;
  const color = {
    stdout: wantsColor(stdout, allowed, process.env),
    stderr: wantsColor(stderr, allowed, process.env),
  };
  const chalk = new Chalk({ level: color.stderr ? 1 : 0 });
  return {
    out: new TerminalOutput({ stdout, stderr, color, verbose, now: () => new Date(), every }),
    paint: { error: chalk.red, hint: chalk.cyan },
  };
}

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SummitError } from "../../core/errors.ts";
import type { ExitStatus, RunOptions, RunResult } from "../../core/ports/shell.ts";
import { ProcessOver } from "./process-streams.ts";
import type { ProcessTitle, SupervisedProcess } from "./supervise.ts";

const STDOUT_LIMIT = 16 * 1024 * 1024;
const STDERR_TAIL = 64 * 1024;
const DETAIL_LINES = 20;

/** `Shell.run` on top of `Shell.open`: feeds the input, collects the outputs within their limits. */
export async function collectRun(
  process: SupervisedProcess,
  title: ProcessTitle,
  options: Pick<RunOptions, "input" | "timeout">,
): Promise<RunResult> {
  const stdout = collectHead(process, title);
  const stderr = collectTail(process.stderr);
  const timer = options.timeout === undefined ? undefined : startTimer(process, title, options.timeout);
  const fed = feed(process, options.input);
  const read = Promise.all([closed(process.stdout), closed(process.stderr)]);
  try {
    const status = await process.exit;
    await read;
    const failure = await fed;
    if (failure !== undefined) throw inputError(title, failure);
    return { ...status, stdout: stdout().toString("utf8"), stderr: stderr().toString("utf8") };
  } finally {
    clearTimeout(timer);
  }
}

/** What `Shell.must` makes of a result: its standard output, or an error with the end of stderr as details. */
export function mustSucceed(title: ProcessTitle, result: RunResult): string {
  if (result.code === 0) return result.stdout;
  throw new SummitError("remote", `${title.program} on ${title.shell} ${statusText(result)}`, {
    details: lastLines(result.stderr),
  });
}

export const lastLines = (stderr: string): readonly string[] =>
  stderr
    .trimEnd()
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-DETAIL_LINES);

export const statusText = ({ code, signal }: ExitStatus): string =>
  signal === undefined ? `ended with exit status ${code}` : `was killed by ${signal}`;

function collectHead(process: SupervisedProcess, title: ProcessTitle): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  process.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= STDOUT_LIMIT) return void chunks.push(chunk);
    process.stop(
      new SummitError("remote", `${title.program} on ${title.shell} printed more than 16 MiB and was ended`),
    );
  });
  return () => Buffer.concat(chunks);
}

function collectTail(stream: Readable): () => Buffer {
  let chunks: Buffer[] = [];
  let size = 0;
  const tail = (): Buffer => Buffer.concat(chunks).subarray(-STDERR_TAIL);
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < 4 * STDERR_TAIL) return;
    // A copy, since a view would keep the whole buffer alive.
    chunks = [Buffer.from(tail())];
    size = STDERR_TAIL;
  });
  return tail;
}

const closed = (stream: Readable): Promise<void> => new Promise((resolve) => void stream.once("close", resolve));

function startTimer(process: SupervisedProcess, { shell, program }: ProcessTitle, seconds: number): NodeJS.Timeout {
  const stop = (): void =>
    process.stop(new SummitError("remote", `${program} on ${shell} took longer than ${seconds} s and was ended`));
  return setTimeout(stop, seconds * 1000);
}

/** Resolves with what made the input itself fail. A process that does not want all of it is no failure. */
async function feed(process: SupervisedProcess, input: RunOptions["input"]): Promise<Error | undefined> {
  if (!(input instanceof Readable)) {
    process.stdin.end(input ?? "");
    return undefined;
  }
  try {
    await pipeline(input, process.stdin);
    return undefined;
  } catch (error) {
    return process.stdin.errored instanceof ProcessOver ? undefined : (error as Error);
  }
}

const inputError = ({ shell, program }: ProcessTitle, cause: Error): SummitError =>
  new SummitError("remote", `the input of ${program} on ${shell} could not be read to its end; it was ended`, {
    details: [cause.message],
    cause,
  });

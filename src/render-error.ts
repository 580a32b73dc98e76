import { type ErrorKind, EXIT, exitCode, isSummitError, messageOf } from "./core/errors.ts";
import { printable } from "./providers/output/printable.ts";

/** What `--json` prints of an error, as the last line of stdout. */
export interface ErrorRecord {
  readonly schema: "summitctl.error.v1";
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly exit: number;
}

export interface RenderOptions {
  /** Adds the stack and what caused it. */
  readonly verbose: boolean;
  /** Applied to `error:` and `hint:`; plain when omitted. */
  readonly paint?: { error(text: string): string; hint(text: string): string };
}

/** `error: …`, details indented, `hint: …`; ends with a newline. Anything but a SummitError is an internal error. */
export function renderError(thrown: unknown, { verbose, paint }: RenderOptions): string {
  const { message, details, hint } = errorRecord(thrown, verbose);
  const lines = [
    `${paint?.error("error:") ?? "error:"} ${printable(message)}`,
    ...details.flatMap((detail) => printable(detail).split("\n")).map((line) => `  ${line}`),
    ...(hint === undefined ? [] : [`${paint?.hint("hint:") ?? "hint:"} ${printable(hint)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

export function errorRecord(thrown: unknown, verbose: boolean): ErrorRecord {
  const known = isSummitError(thrown);
  const kind = known ? thrown.kind : "unexpected";
  return {
    schema: "summitctl.error.v1",
    kind,
    message: known ? thrown.message : `internal error: ${messageOf(thrown)}`,
    hint: known ? thrown.hint : internalHint(verbose),
    details: [...(known ? thrown.details : []), ...(verbose ? stackLines(thrown) : [])],
    exit: exitCode(kind),
  };
}

/** The EXIT table as text, for `--help`. */
export const exitTable = (): string =>
  Object.values(EXIT)
    .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
    .join("\n");

const internalHint = (verbose: boolean): string =>
  verbose
    ? "this is a defect of summitctl, please report it with the lines above"
    : "this is a defect of summitctl: run it again with -v and please report what it prints";

function stackLines(thrown: unknown): string[] {
  const lines: string[] = [];
  let link = thrown;
  // Bounded: a cause can point back at its own error.
  for (let depth = 0; link !== undefined && depth < 8; depth += 1) {
    const text = link instanceof Error ? (link.stack ?? link.message) : String(link);
    lines.push(...(depth === 0 ? text : `caused by ${text}`).split("\n"));
    link = link instanceof Error ? link.cause : undefined;
  }
  return lines;
}

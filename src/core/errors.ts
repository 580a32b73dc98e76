/**
 * The public exit codes. The kind of an error is a key of this table, so an error without a code cannot be
 * written. `--help` and docs/exit-codes.md are generated from it.
 */
export const EXIT = {
  ok: { code: 0, meaning: "ok" },
  unexpected: { code: 1, meaning: "unexpected error: a defect of summitctl or of this computer" },
  usage: { code: 2, meaning: "usage: unknown command, flag or argument, or an answer is missing" },
  config: { code: 3, meaning: "summit.yaml, summit.lock or a secret's source is wrong" },
  check: { code: 4, meaning: "a check failed, nothing was changed" },
  locked: { code: 5, meaning: "somebody else is acting on this environment" },
  remote: { code: 6, meaning: "a remote command or the provider failed" },
  store: { code: 7, meaning: "the store cannot be reached or refused" },
  verification: { code: 8, meaning: "verification failed: what was found is not what was promised" },
  incomplete: { code: 9, meaning: "incomplete: run it again, it continues" },
  missed: { code: 10, meaning: "done, but an RTO or RPO target was missed" },
  interrupted: { code: 130, meaning: "interrupted" },
} as const;

export type ErrorKind = Exclude<keyof typeof EXIT, "ok">;

export interface ErrorDetails {
  /** One line that can be pasted, or a short instruction. */
  hint?: string;
  cause?: unknown;
  /** Further lines, such as every problem of a config or the remote side's own words. */
  details?: readonly string[];
}

// A symbol, so that two copies of this module still recognise each other's errors.
const BRAND = Symbol.for("summitctl.error");

/** The only error class of the project. Messages: lower case, no full stop, what was expected and what came. */
export class SummitError extends Error {
  readonly [BRAND] = true;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly details: readonly string[];

  constructor(kind: ErrorKind, message: string, { hint, cause, details }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SummitError";
    this.kind = kind;
    this.hint = hint;
    this.details = details ?? [];
  }
}

export const isSummitError = (value: unknown): value is SummitError =>
  typeof value === "object" && value !== null && BRAND in value;

export const exitCode = (kind: ErrorKind | "ok"): number => EXIT[kind].code;

/** Words of anything that was thrown, for use as a detail line. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

import { isSummitError, messageOf } from "../core/errors.ts";
import type { Check } from "../core/ports/machines.ts";

/** Something to look at. What it throws becomes a check that failed, so that one look never keeps the others away. */
export interface Examination {
  readonly name: string;
  run(): Promise<readonly Check[]>;
}

/** Looks at everything at once; the checks come in the order of the examinations. Throws for an abort only. */
export async function examine(examinations: readonly Examination[], signal: AbortSignal): Promise<readonly Check[]> {
  const checks = await Promise.all(
    examinations.map(({ name, run }) => run().catch((error: unknown) => failedChecks(name, error))),
  );
  signal.throwIfAborted();
  return checks.flat();
}

/** One line per problem that the error lists, else one; the hint goes with the last. */
export function failedChecks(name: string, error: unknown): readonly Check[] {
  const { hint, details } = isSummitError(error) ? error : { hint: undefined, details: [] };
  // An error that counts problems says less than the problems.
  const counts = isSummitError(error) && error.kind === "config" && details.length > 0;
  const lines = counts ? details : [[messageOf(error), ...details].join(": ")];
  return lines.map((message, index) => ({
    name,
    ok: false,
    message,
    ...(hint !== undefined && index === lines.length - 1 ? { hint } : {}),
  }));
}

import type * as z from "zod";
import { bad, issueWords } from "./issue-words.ts";
import type { Finding, Path } from "./problems.ts";
import { closest, suggestion } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** The value as the schema gives it back, or everything that is wrong with it. */
export function checkSchema<T>(schema: z.ZodType<T>, value: unknown): { value: T } | { findings: readonly Finding[] } {
  const result = schema.safeParse(value, {
    reportInput: true,
    // The one place where zod tells which schema an issue comes from: its message carries the keys there are.
    error: (issue) => (issue.code === "unrecognized_keys" ? JSON.stringify(knownKeys(issue.inst)) : undefined),
  });
  if (result.success) return { value: result.data };
  return { findings: withoutMistyped(result.error.issues.flatMap((issue) => findingsOf(issue, []))) };
}

interface SchemaFinding extends Finding {
  /** The known key that an unknown one was probably meant to be. */
  readonly meant?: string;
  readonly missing?: boolean;
}

function findingsOf(issue: Issue, parent: Path): readonly SchemaFinding[] {
  const path = [...parent, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  if (issue.code === "unrecognized_keys") {
    const known = JSON.parse(issue.message) as string[];
    return issue.keys.map((key) => {
      const meant = closest(key, known);
      const finding = { path: [...path, key], message: `unknown key${suggestion(key, known)}` };
      return meant === undefined ? finding : { ...finding, meant };
    });
  }
  if (issue.code === "invalid_key") return issue.issues.flatMap((inner) => findingsOf(inner as Issue, path));
  if (issue.code === "invalid_union") return unionFindings(issue, path);
  if (issue.code === "custom")
    return [{ path, message: issue.message, hint: issue.params?.["hint"] as string | undefined }];
  return [{ path, message: issueWords(issue), missing: issue.input === undefined }];
}

/** The branch that takes this kind of value says what is wrong; when none does, all say what they expect. */
function unionFindings(issue: z.core.$ZodIssueInvalidUnion, path: Path): readonly SchemaFinding[] {
  const branch = issue.errors.find(
    (issues) => !issues.some((inner) => inner.code === "invalid_type" && inner.path.length === 0),
  );
  if (branch !== undefined) return branch.flatMap((inner) => findingsOf(inner, path));
  const expected = issue.errors.flatMap((issues) =>
    issues.map((inner) => (inner.code === "invalid_type" ? inner.expected : "")),
  );
  return [{ path, message: bad([...new Set(expected)], issue.input) }];
}

/** A required key that is missing because it was mistyped is one problem, not two. */
function withoutMistyped(findings: readonly SchemaFinding[]): readonly Finding[] {
  const meant = new Set(
    findings.flatMap(({ path, meant }) => (meant === undefined ? [] : [JSON.stringify([...path.slice(0, -1), meant])])),
  );
  return findings
    .filter(({ path, missing }) => !(missing === true && meant.has(JSON.stringify(path))))
    .map(({ path, message, hint }) => ({ path, message, hint }));
}

function knownKeys(inst: unknown): string[] {
  const shape = (inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return Object.keys(shape ?? {});
}

import { show } from "../core/names.ts";
import { plainTextCheck } from "./field-checks.ts";

/** What is wrong with the git URL of a source: `ext::` and a leading dash would make git run a program. */
export function checkGitUrl(url: string): string | undefined {
  const plain = plainTextCheck(url);
  if (plain !== undefined) return plain;
  if (/^(https?|ssh|git|file):\/\/[^-]/i.test(url)) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    return parsed?.password ? "a git URL cannot hold a password; use ssh or a credential helper" : undefined;
  }
  if (/^\/|^[A-Za-z0-9_.-]+@[A-Za-z0-9][A-Za-z0-9.-]*:[^:-]/.test(url)) return undefined;
  return `expected a git URL such as https://…, ssh://…, user@host:path or an absolute path, got ${show(url)}`;
}

/** What is wrong with a git revision (branch, tag or commit). */
export function checkRevision(revision: string): string | undefined {
  return /^[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,199}$/.test(revision) && !revision.includes("..") && !revision.includes("@{")
    ? undefined
    : `expected a branch, tag or commit, got ${show(revision)}`;
}

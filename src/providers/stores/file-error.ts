import { isSummitError, messageOf, SummitError } from "../../core/errors.ts";

const REASONS: Readonly<Record<string, [string, string]>> = {
  ENOSPC: ["the disk is full", "df -h"],
  EDQUOT: ["the quota is used up", "quota"],
  EROFS: ["it is mounted read-only", "mount | grep ro,"],
  EACCES: ["permission denied", "ls -ld"],
  EPERM: ["permission denied", "ls -ld"],
  ENOENT: ["there is no such object", "summitctl backups list"],
  ENOTDIR: ["a part of its path is a file", "ls -ld"],
  EEXIST: ["a part of its path is a file", "ls -ld"],
};

/** A file system's error as the store's; an abort, and the failure of the source itself, as they are. */
export function storeError(error: unknown, message: string): unknown {
  const code = codeOf(error);
  if (isSummitError(error) || code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  const [reason, hint] = REASONS[code] ?? [messageOf(error), "summitctl doctor"];
  return new SummitError("store", `${message}: ${reason}`, { cause: error, hint });
}

export const codeOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;

import * as z from "zod";
import { recipientKey } from "../core/age-keys.ts";
import { parseDuration } from "../core/duration.ts";
import { checkDatabaseName, show } from "../core/names.ts";
import type { Finding } from "./problems.ts";
import { at, listOf } from "./raw-values.ts";
import { repeated } from "./repeated.ts";
import { secretSchema, sourceFindings } from "./secret-schema.ts";

const databaseName = z.string().superRefine((name, context) => {
  const message = checkDatabaseName(name);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const recipient = z.string().superRefine((text, context) => {
  const message = recipientProblem(text);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** A private key that was put here by mistake is not repeated. */
function recipientProblem(text: string): string | undefined {
  if (recipientKey(text) !== undefined) return undefined;
  if (/secret|private/i.test(text))
    return "this is a private key, which nobody else may see; the public one is expected";
  const what = /^age1[a-z0-9]{58}$/.test(text) ? "this was mistyped" : `got ${show(text)}`;
  return `expected a public key of age such as age1… with 62 characters, ${what}`;
}

const YIELD = /^yield +(\S+)$/;

const onBlocking = z.string().superRefine((text, context) => {
  if (text === "warn" || yieldSeconds(text) !== undefined) return;
  context.addIssue({
    code: "custom",
    message: `expected warn, or yield with a time such as yield 30s, got ${show(text)}`,
  });
});

/** Of `yield 30s`; undefined for anything else. */
export function yieldSeconds(text: string): number | undefined {
  const seconds = parseDuration(YIELD.exec(text)?.[1] ?? "");
  return seconds === undefined || seconds < 1 || seconds > 86_400 ? undefined : seconds;
}

const MOST_RECIPIENTS = 50;

export const backupSchema = z
  .strictObject({
    databases: z
      .array(databaseName)
      .min(1)
      .optional()
      .describe("databases to back up; default: those that services ask for"),
    content: z
      .enum(["archive", "sql"])
      .default("archive")
      .describe("`archive`: pg_dump's own format, restored by several jobs; `sql`: plain text"),
    compression: z
      .enum(["bzip2", "zstd"])
      .default("bzip2")
      .describe("of dumps: `bzip2` is smaller, `zstd` several times as fast"),
    level: z
      .int()
      .min(1)
      .max(19)
      .optional()
      .describe("of the compression: 1 to 9 for bzip2 (default 9), 1 to 19 for zstd (default 3)"),
    role_passwords: z
      .boolean()
      .optional()
      .describe("whether dumps of roles hold the hashes of their passwords; default: only when they are encrypted"),
    encrypt: z
      .strictObject({
        recipients: z
          .array(recipient)
          .max(MOST_RECIPIENTS)
          .describe("public keys of age, `age1…`: each of their owners can restore; empty: nothing is encrypted"),
        identity: secretSchema
          .optional()
          .describe("where restore, failover and verify get a private key: exactly one of `env`, `file`, `command`"),
      })
      .optional()
      .describe("encrypt on the machine, before anything leaves it; absent: backups are not encrypted"),
    on_blocking: onBlocking
      .default("warn")
      .describe("when sessions wait behind a dump: `warn`, or `yield 30s` to end it when one has waited that long"),
  })
  .prefault({})
  .describe("what a backup holds");

/** What the schema cannot say. */
export function backupFindings(raw: unknown): readonly Finding[] {
  const backup = at(raw, "backup");
  const encrypt = at(backup, "encrypt");
  const level = at(backup, "level");
  const compression = at(backup, "compression") ?? "bzip2";
  const tooHigh = compression === "bzip2" && typeof level === "number" && level > 9 && level <= 19;
  const identity = at(encrypt, "identity");
  return [
    ...(tooHigh ? [{ path: ["backup", "level"], message: `expected 1 to 9 for bzip2, got ${level}` }] : []),
    ...(identity === undefined ? [] : sourceFindings(identity, ["backup", "encrypt", "identity"])),
    ...repeated(listOf(at(encrypt, "recipients")), ["backup", "encrypt", "recipients"]),
    ...repeated(listOf(at(backup, "databases")), ["backup", "databases"]),
  ];
}

import { z } from "zod";
import { SummitError } from "../core/errors.ts";
import { isBackupId, show } from "../core/names.ts";
import { type BackupPlace, recordsPrefix } from "./keys.ts";

/** What became of a backup after it was taken; every field is explained in docs/formats.md. */
export const RECORD_SCHEMA = "summitctl.backup-record.v1";

const text = z.string().max(2000);
const count = z.number().int().nonnegative();

const common = {
  schema: z.literal(RECORD_SCHEMA),
  project: z.string(),
  environment: z.string(),
  backup: z.string().refine(isBackupId, "not a backup id"),
  /** By the clock of the computer that wrote it; order is by the store's. */
  at: z.iso.datetime(),
  /** `ann@laptop` */
  by: text,
  summitctl: text,
};

const kept = z.strictObject({
  ...common,
  kind: z.literal("kept"),
  reason: text.min(1),
  until: z.iso.datetime().nullable(),
});

const released = z.strictObject({ ...common, kind: z.literal("released") });

const verified = z.strictObject({
  ...common,
  kind: z.literal("verified"),
  ok: z.boolean(),
  how: z.enum(["read", "restore"]),
  compared: z.strictObject({ files: count, parts: count, storedBytes: count, plainBytes: count }),
  /** What was found wrong. Empty when it is ok. */
  problems: z.array(text),
  seconds: z.number().nonnegative(),
});

const record = z.discriminatedUnion("kind", [kept, released, verified]);

export type BackupRecord = z.infer<typeof record>;
export type VerifiedRecord = z.infer<typeof verified>;
export type KeptRecord = z.infer<typeof kept>;

/** `20261122T150000Z-k3x9qa-kept.json`: the name tells nothing that the content does not say. */
export const recordKey = (place: BackupPlace, name: string, kind: BackupRecord["kind"]): string =>
  `${recordsPrefix(place)}${name}-${kind}.json`;

/** Throws kind `verification` when that is no record of that backup: cut, altered, moved, or of another version. */
export function parseRecord(content: string, key: string, place: BackupPlace): BackupRecord {
  const parsed = record.safeParse(parseJson(content));
  if (!parsed.success) {
    throw new SummitError("verification", `${show(key)} is not a complete record of this version`, {
      hint: "summitctl backups list",
    });
  }
  const { project, environment, backup } = parsed.data;
  if (backup === place.id && environment === place.environment && project === place.project) return parsed.data;
  throw new SummitError("verification", `${show(key)} is a record of ${show(`${project}/${environment}/${backup}`)}`, {
    hint: "summitctl backups list",
  });
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

import { hostname, userInfo } from "node:os";
import type { Deps } from "../core/deps.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { type BackupPlace, newBackupId } from "./keys.ts";
import { type BackupRecord, type KeptRecord, RECORD_SCHEMA, recordKey, type VerifiedRecord } from "./records.ts";

type Common = "schema" | "project" | "environment" | "backup" | "at" | "by" | "summitctl";

/** What is recorded; who, when and by which version is added. */
export type NewRecord =
  | Omit<KeptRecord, Common>
  | Omit<VerifiedRecord, Common>
  | Omit<Extract<BackupRecord, { kind: "released" }>, Common>;

/** Writes a record beside a backup. Resolves when it is durable. */
export async function writeRecord(
  store: ObjectStore,
  { project, environment, id }: BackupPlace,
  record: NewRecord,
  { now, version }: Pick<Deps, "now" | "version">,
): Promise<void> {
  const at = now();
  const whole = {
    schema: RECORD_SCHEMA,
    project,
    environment,
    backup: id,
    at: at.toISOString(),
    by: operator(),
    summitctl: version,
    ...record,
  };
  const key = recordKey({ project, environment, id }, newBackupId(at), record.kind);
  await store.put(key, Buffer.from(`${JSON.stringify(whole, null, 2)}\n`));
}

/** `ann@laptop`. A user that the system does not know has a number. */
export function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `${process.getuid?.() ?? "unknown"}@${hostname()}`;
  }
}

import { randomBytes } from "node:crypto";
import { isBackupId } from "../core/names.ts";
import { utcStamp } from "../core/time.ts";

/** `20261122T143800Z-k3x9qa` */
export function newBackupId(now: Date): string {
  const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
  const suffix = [...randomBytes(6)].map((byte) => alphabet[byte % alphabet.length]).join("");
  return `${utcStamp(now)}-${suffix}`;
}

export const environmentPrefix = (project: string, environment: string): string => `${project}/${environment}/`;

export const backupPrefix = (project: string, environment: string, id: string): string =>
  `${environmentPrefix(project, environment)}${id}/`;

export const MANIFEST_FILE = "manifest.json";

export const manifestKey = ({ project, environment, id }: BackupPlace): string =>
  `${backupPrefix(project, environment, id)}${MANIFEST_FILE}`;

/** What a key of a backup is made of; a manifest has it. */
export interface BackupPlace {
  readonly project: string;
  readonly environment: string;
  readonly id: string;
}

const RECORDS_FOLDER = "records";

/** Where records of a backup are, beside its files. */
export const recordsPrefix = ({ project, environment, id }: BackupPlace): string =>
  `${backupPrefix(project, environment, id)}${RECORDS_FOLDER}/`;

/** Where those who write backups of an environment say so; no environment can be called like that. */
export const claimsPrefix = (project: string, environment: string): string => `${project}/_claims/${environment}/`;

/** Every writer has a name of its own. */
export const claimKey = ({ project, environment, id }: BackupPlace, name: string): string =>
  `${claimsPrefix(project, environment)}${id}/${name}.json`;

/** The id of the backup; undefined for what is no claim. */
export function readClaimKey(key: string): string | undefined {
  const [, , , id = "", name, ...more] = key.split("/");
  return isBackupId(id) && name !== undefined && more.length === 0 ? id : undefined;
}

/** What an object of a backup is, by its key alone. */
export interface BackupObject extends BackupPlace {
  readonly what: "manifest" | "record" | "file";
}

/** Undefined for what is no object of a backup: state, and what people put beside backups. */
export function readBackupKey(key: string): BackupObject | undefined {
  const [project = "", environment = "", id = "", file, name, ...more] = key.split("/");
  if (file === undefined || !isBackupId(id)) return undefined;
  const what =
    name === undefined
      ? file === MANIFEST_FILE
        ? "manifest"
        : "file"
      : file === RECORDS_FOLDER && more.length === 0
        ? "record"
        : "file";
  return { project, environment, id, what };
}

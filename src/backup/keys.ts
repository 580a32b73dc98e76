import { randomBytes } from "node:crypto";
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

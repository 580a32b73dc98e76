import { buffer } from "node:stream/consumers";
import { SummitError } from "../core/errors.ts";
import { isBackupId, show } from "../core/names.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { backupPrefix, environmentPrefix, MANIFEST_FILE } from "./keys.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

export interface Backup {
  readonly manifest: Manifest;
  /** When its manifest was stored, by the store's clock: what "newest" means. */
  readonly storedAt: Date;
}

/** One whose manifest cannot be read. It is shown, never chosen. */
export interface BrokenBackup {
  readonly id: string;
  readonly environment: string;
  readonly storedAt: Date;
  readonly problem: string;
}

export interface Catalog {
  /** Newest first. */
  readonly backups: readonly Backup[];
  readonly broken: readonly BrokenBackup[];
}

/** Backups of an environment, or of the whole project. */
export async function readCatalog(
  store: ObjectStore,
  project: string,
  environment: string | undefined,
): Promise<Catalog> {
  const objects = await store.list(environment === undefined ? `${project}/` : environmentPrefix(project, environment));
  const backups: Backup[] = [];
  const broken: BrokenBackup[] = [];
  for (const { key, storedAt } of objects) {
    const [, owner = "", id = "", file, ...more] = key.split("/");
    if (file !== MANIFEST_FILE || more.length > 0 || !isBackupId(id)) continue;
    try {
      backups.push({ manifest: await readManifest(store, { project, environment: owner, id }), storedAt });
    } catch (error) {
      if (!(error instanceof SummitError) || error.kind !== "verification") throw error;
      broken.push({ id, environment: owner, storedAt, problem: error.message });
    }
  }
  const newestFirst = (a: { storedAt: Date }, b: { storedAt: Date }) => b.storedAt.getTime() - a.storedAt.getTime();
  return { backups: backups.sort(newestFirst), broken: broken.sort(newestFirst) };
}

interface Place {
  readonly project: string;
  readonly environment: string;
  readonly id: string;
}

async function readManifest(store: ObjectStore, { project, environment, id }: Place): Promise<Manifest> {
  const key = `${backupPrefix(project, environment, id)}${MANIFEST_FILE}`;
  const text = (await buffer(await store.get(key))).toString("utf8");
  const manifest = parseManifest(text, key);
  if (manifest.id !== id || manifest.project !== project || manifest.environment !== environment) {
    throw new SummitError(
      "verification",
      `${key} is the manifest of ${show(`${manifest.project}/${manifest.environment}/${manifest.id}`)}: it was moved or copied by hand`,
      {
        hint: "summitctl backups list",
      },
    );
  }
  return manifest;
}

/** A backup by id, or the newest good one for `latest`. Throws kind `check` when there is none. */
export async function findBackup(
  store: ObjectStore,
  project: string,
  wanted: { id: string; environment: string | undefined },
): Promise<Backup> {
  const { id, environment } = wanted;
  if (id !== "latest" && !isBackupId(id)) {
    throw new SummitError(
      "usage",
      `expected "latest" or a backup id such as 20261122T143800Z-k3x9qa, got ${show(id)}`,
      { hint: "summitctl backups list" },
    );
  }
  const { backups, broken } = await readCatalog(store, project, environment);
  const found = id === "latest" ? backups[0] : backups.find(({ manifest }) => manifest.id === id);
  if (found !== undefined) return found;
  const unreadable = broken.find((entry) => entry.id === id);
  if (unreadable !== undefined)
    throw new SummitError("verification", `the backup ${id} cannot be used: ${unreadable.problem}`, {
      hint: "summitctl backups list",
    });
  const whose = environment === undefined ? `project "${project}"` : `environment "${environment}"`;
  throw new SummitError(
    "check",
    id === "latest"
      ? `there is no backup of ${whose} in ${store.url}`
      : `there is no backup ${id} of ${whose} in ${store.url}`,
    {
      hint: id === "latest" ? "summitctl backup" : "summitctl backups list",
    },
  );
}

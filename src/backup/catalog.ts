import { buffer } from "node:stream/consumers";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import { isBackupId, show } from "../core/names.ts";
import type { ObjectMemory } from "../core/ports/object-memory.ts";
import type { ObjectInfo, ObjectStore } from "../core/ports/store.ts";
import {
  type BackupObject,
  type BackupPlace,
  environmentPrefix,
  manifestKey,
  readBackupKey,
  recordsPrefix,
} from "./keys.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { headOf, type ManifestHead } from "./manifest-head.ts";
import { readObjects } from "./read-objects.ts";
import { type BackupRecord, parseRecord } from "./records.ts";
import { NO_STANDING, type Standing, type StoredRecord, standingOf } from "./standing.ts";

interface Placed {
  /** When its manifest was stored, by the store's clock: what "newest" means. */
  readonly storedAt: Date;
  readonly standing: Standing;
}

/** A backup as a catalog lists it. */
export interface CataloguedBackup extends Placed {
  readonly manifest: ManifestHead;
}

/** A backup with all that its manifest says. */
export interface Backup extends Placed {
  readonly manifest: Manifest;
}

/** One whose manifest cannot be read. It is shown, never chosen. */
export interface BrokenBackup extends Placed {
  readonly id: string;
  readonly environment: string;
  readonly problem: string;
  /** It is no JSON. False: another version of summitctl may be able to read it. */
  readonly cut: boolean;
}

export interface Catalog {
  /** Newest first. */
  readonly backups: readonly CataloguedBackup[];
  readonly broken: readonly BrokenBackup[];
}

export interface CatalogOptions {
  readonly memory?: ObjectMemory | undefined;
}

/** Changed with the form of `Parsed`: what an older summitctl remembered is then not taken for it. */
const SCOPE = "catalog.v1";

type Parsed =
  | { readonly head: ManifestHead }
  | { readonly problem: string; readonly cut: boolean }
  | { readonly record: BackupRecord };

/** Backups of an environment, or of the whole project. All that the store has, or it throws kind `store`. */
export async function readCatalog(
  store: ObjectStore,
  project: string,
  environment: string | undefined,
  { memory }: CatalogOptions = {},
): Promise<Catalog> {
  const prefix = environment === undefined ? `${project}/` : environmentPrefix(project, environment);
  const listed = await listBackupObjects(store, prefix);
  const scope = `${SCOPE} ${store.url} ${prefix}`;
  const values = await readObjects(store, [...listed.manifests, ...listed.records].map(infoOfListed), {
    scope,
    memory,
    parse: parseListed,
  });
  const standings = standingsOf(listed.records, values);
  const backups: CataloguedBackup[] = [];
  const broken: BrokenBackup[] = [];
  for (const { info, object } of listed.manifests) {
    const value = values.get(info.key);
    const { storedAt } = info;
    const standing = standings.get(folderOf(object)) ?? NO_STANDING;
    if (value === undefined || "record" in value) continue;
    if ("head" in value) backups.push({ manifest: value.head, storedAt, standing });
    else broken.push({ id: object.id, environment: object.environment, storedAt, standing, ...value });
  }
  const newestFirst = (a: Placed, b: Placed) => b.storedAt.getTime() - a.storedAt.getTime();
  return { backups: backups.sort(newestFirst), broken: broken.sort(newestFirst) };
}

interface ListedObject {
  readonly info: ObjectInfo;
  readonly object: BackupObject;
}

const infoOfListed = ({ info }: ListedObject): ObjectInfo => info;
const folderOf = ({ environment, id }: BackupPlace): string => `${environment}/${id}`;

async function listBackupObjects(store: ObjectStore, prefix: string) {
  const manifests: ListedObject[] = [];
  const records: ListedObject[] = [];
  for (const info of await store.list(prefix)) {
    const object = readBackupKey(info.key);
    if (object?.what === "manifest") manifests.push({ info, object });
    if (object?.what === "record") records.push({ info, object });
  }
  return { manifests, records };
}

function parseListed(content: string, { key }: ObjectInfo): { value: Parsed; lasting: boolean } {
  const object = readBackupKey(key) as BackupObject;
  try {
    const value =
      object.what === "record"
        ? { record: parseRecord(content, key, object) }
        : { head: headOf(parsePlaced(content, object)) };
    return { value, lasting: true };
  } catch (error) {
    if (!isSummitError(error) || error.kind !== "verification") throw error;
    // Another version may read it: it is looked at each time.
    return { value: { problem: messageOf(error), cut: !isJson(content) }, lasting: false };
  }
}

function isJson(content: string): boolean {
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}

/** By folder of the backup. */
function standingsOf(
  records: readonly ListedObject[],
  values: ReadonlyMap<string, Parsed>,
): ReadonlyMap<string, Standing> {
  const found = new Map<string, { records: StoredRecord[]; problems: string[] }>();
  for (const { info, object } of records) {
    const value = values.get(info.key);
    if (value === undefined) continue;
    const own = found.get(folderOf(object)) ?? { records: [], problems: [] };
    found.set(folderOf(object), own);
    if ("record" in value) own.records.push({ record: value.record, storedAt: info.storedAt });
    if ("problem" in value) own.problems.push(value.problem);
  }
  return new Map([...found].map(([folder, own]) => [folder, standingOf(own.records, own.problems)]));
}

function parsePlaced(content: string, place: BackupPlace): Manifest {
  const { project, environment, id } = place;
  const key = manifestKey(place);
  const manifest = parseManifest(content, key);
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

/** What its records come to now. */
export async function readStanding(store: ObjectStore, place: BackupPlace): Promise<Standing> {
  const { records } = await listBackupObjects(store, recordsPrefix(place));
  const values = await readObjects(store, records.map(infoOfListed), {
    scope: "",
    memory: undefined,
    parse: parseListed,
  });
  return standingsOf(records, values).get(folderOf(place)) ?? NO_STANDING;
}

/** The whole of one that a catalog lists. Throws kind `verification` when it cannot be read any more. */
export async function readBackup(
  store: ObjectStore,
  { manifest, storedAt, standing }: CataloguedBackup,
): Promise<Backup> {
  const content = (await manifestBytes(store, manifest)).toString("utf8");
  return { manifest: parsePlaced(content, manifest), storedAt, standing };
}

/** As it is stored: what is copied, since a manifest that is written anew may differ in form. */
export const manifestBytes = async (store: ObjectStore, place: BackupPlace): Promise<Buffer> =>
  await buffer(await store.get(manifestKey(place)));

/** A backup by id. Throws kind `check` when there is none of that id, kind `verification` when it cannot be read. */
export async function findBackup(
  store: ObjectStore,
  project: string,
  wanted: { id: string; environment: string | undefined },
): Promise<Backup> {
  const { id, environment } = wanted;
  if (!isBackupId(id)) {
    throw new SummitError(
      "usage",
      `expected "latest" or a backup id such as 20261122T143800Z-k3x9qa, got ${show(id)}`,
      { hint: "summitctl backups list" },
    );
  }
  const prefix = environment === undefined ? `${project}/` : environmentPrefix(project, environment);
  const { manifests } = await listBackupObjects(store, prefix);
  const listed = manifests.find(({ object }) => object.id === id);
  if (listed !== undefined) {
    const { info, object } = listed;
    const content = (await manifestBytes(store, object)).toString("utf8");
    return { manifest: usable(content, object), storedAt: info.storedAt, standing: await readStanding(store, object) };
  }
  const whose = environment === undefined ? `project "${project}"` : `environment "${environment}"`;
  throw new SummitError("check", `there is no backup ${id} of ${whose} in ${store.url}`, {
    hint: "summitctl backups list",
  });
}

function usable(content: string, place: BackupPlace): Manifest {
  try {
    return parsePlaced(content, place);
  } catch (error) {
    if (!isSummitError(error) || error.kind !== "verification") throw error;
    throw new SummitError("verification", `the backup ${place.id} cannot be used: ${error.message}`, {
      cause: error,
      hint: "summitctl backups list",
    });
  }
}

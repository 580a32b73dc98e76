import { type Backup, type CatalogOptions, findBackup, readBackup, readCatalog } from "../backup/catalog.ts";
import { SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { listGenerations } from "../environment/generations.ts";
import { countingBackups } from "./counting-backups.ts";

export interface WantedBackup {
  /** An id or `latest`: of all that count the newest, which is what a failover takes. */
  readonly id: string;
  /** Undefined: of any environment. */
  readonly environment: string | undefined;
}

/** Throws kind `usage` when that is no id, and kind `check` when there is none. */
export async function chooseBackup(
  store: ObjectStore,
  project: string,
  { id, environment }: WantedBackup,
  options: CatalogOptions = {},
): Promise<Backup> {
  if (id !== "latest") return await findBackup(store, project, { id, environment });
  const [catalog, generations] = await Promise.all([
    readCatalog(store, project, undefined, options),
    listGenerations(store, project),
  ]);
  const [latest] = countingBackups(catalog.backups, generations);
  if (latest === undefined) throw noLatest(store, project, catalog.backups.length);
  const { manifest } = latest;
  if (environment === undefined || manifest.environment === environment) return await readBackup(store, latest);
  // Not the newest of that environment instead: `latest` means one thing.
  throw new SummitError(
    "check",
    `the latest backup of project "${project}" is ${manifest.id} of "${manifest.environment}", not of "${environment}"`,
    { hint: `summitctl backups list -e ${environment}    # and name one by its id` },
  );
}

const noLatest = (store: ObjectStore, project: string, others: number): SummitError =>
  others === 0
    ? new SummitError("check", `there is no backup of project "${project}" in ${store.url}`, {
        hint: "summitctl backup",
      })
    : new SummitError("check", `no backup of project "${project}" in ${store.url} counts as the latest`, {
        hint: "summitctl backups list    # any of them can be used by its id",
      });

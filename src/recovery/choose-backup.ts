import { type Backup, type CatalogOptions, findBackup, readBackup, readCatalog } from "../backup/catalog.ts";
import { checkSizes } from "../backup/read-member.ts";
import { failedVerification } from "../backup/standing.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
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

/** A backup, and the store that it is to be read from. */
export interface ChosenCopy extends Backup {
  readonly store: ObjectStore;
}

/**
 * As `chooseBackup` in the first store, but one that is named by its id is taken from the first store that has it whole
 * and where its verification did not fail. Where none has it so, it is the first copy that was found.
 */
export async function chooseCopy(
  stores: readonly [ObjectStore, ...ObjectStore[]],
  project: string,
  wanted: WantedBackup,
  options: CatalogOptions = {},
): Promise<ChosenCopy> {
  if (wanted.id === "latest") return { ...(await chooseBackup(stores[0], project, wanted, options)), store: stores[0] };
  let bad: ChosenCopy | undefined;
  let failure: SummitError | undefined;
  for (const store of stores) {
    try {
      const copy = { ...(await findBackup(store, project, wanted)), store };
      bad ??= copy;
      await checkSizes(store, copy.manifest);
      if (!failedVerification(copy.standing)) return copy;
    } catch (error) {
      if (!isSummitError(error) || error.kind === "usage") throw error;
      // That a store failed says more than that another one does not hold it.
      if (failure === undefined || failure.kind === "check") failure = error;
    }
  }
  if (bad !== undefined) return bad;
  throw failure;
}

const noLatest = (store: ObjectStore, project: string, others: number): SummitError =>
  others === 0
    ? new SummitError("check", `there is no backup of project "${project}" in ${store.url}`, {
        hint: "summitctl backup",
      })
    : new SummitError("check", `no backup of project "${project}" in ${store.url} counts as the latest`, {
        hint: "summitctl backups list    # any of them can be used by its id",
      });

import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { type Backup, findBackup } from "./catalog.ts";

/** A store and what was found in it. */
export interface Holder {
  readonly store: ObjectStore;
  readonly required: boolean;
  /** Undefined: it does not hold the backup, or there was a problem. */
  readonly backup: Backup | undefined;
  /** Why it could not be looked at, or not be used. */
  readonly problem: SummitError | undefined;
}

export interface WantedEverywhere {
  readonly id: string;
  readonly environment: string | undefined;
}

/**
 * Looks for a backup in each of the stores. Throws kind `check` when all of them answered and none holds it, kind
 * `usage` for what is no id.
 */
export async function findHolders(
  config: Pick<Config, "project" | "stores">,
  wanted: WantedEverywhere,
  stores: readonly ObjectStore[],
  { signal }: Pick<Deps, "signal">,
): Promise<Holder[]> {
  const holders: Holder[] = [];
  for (const store of stores) {
    const required = isRequired(store, config);
    try {
      holders.push({ store, required, backup: await findBackup(store, config.project, wanted), problem: undefined });
    } catch (error) {
      signal.throwIfAborted();
      if (!isSummitError(error) || error.kind === "usage") throw error;
      holders.push({ store, required, backup: undefined, problem: error.kind === "check" ? undefined : error });
    }
  }
  if (holders.some(({ backup, problem }) => backup !== undefined || problem !== undefined)) return holders;
  throw new SummitError("check", `no store has a backup ${wanted.id} of project "${config.project}"`, {
    details: stores.map(({ url }) => `looked in ${url}`),
    hint: "summitctl backups list",
  });
}

/** Stores that summit.yaml does not mark as best effort. */
export const isRequired = ({ url }: ObjectStore, { stores }: Pick<Config, "stores">): boolean =>
  stores.find((store) => store.url === url)?.required !== false;

/** What is wrong with one store as words. Anything else is thrown on, an abort too. */
export function storeProblem(error: unknown, { signal }: Pick<Deps, "signal">): string {
  signal.throwIfAborted();
  if (isSummitError(error) && (error.kind === "store" || error.kind === "config")) return messageOf(error);
  throw error;
}

import { readCatalog } from "../backup/catalog.ts";
import type { RetentionCandidate, RetentionFacts } from "../backup/retention.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { type Generation, listGenerations } from "../environment/generations.ts";
import { stateStore } from "../environment/state.ts";
import { lifeJudge } from "./counting-backups.ts";

type FactsDeps = Pick<Deps, "stores" | "version" | "memory">;

/** What is the same for every store: it comes from the first one. */
export interface SharedFacts {
  readonly generations: readonly Generation[];
  /** Backups that a failover was begun with and that it needs when it goes on. */
  readonly inUse: ReadonlyMap<string, string>;
}

/** Throws kind `store` when the first store cannot tell: then nothing may be removed anywhere. */
export async function readSharedFacts(config: Config, deps: FactsDeps): Promise<SharedFacts> {
  const [first] = await deps.stores();
  const states = stateStore(first, config.project, deps.version);
  const inUse = new Map<string, string>();
  for (const environment of Object.keys(config.environments)) {
    const { failover } = await states.read(environment);
    if (failover !== undefined) inUse.set(failover.backup, `a failover into "${environment}" was begun with it`);
  }
  return { generations: await listGenerations(first, config.project), inUse };
}

/** Throws kind `store` when the store could not be listed whole. */
export async function readRetentionFacts(
  store: ObjectStore,
  { project, environment, removeBroken }: { project: string; environment: string | undefined; removeBroken: boolean },
  { generations, inUse }: SharedFacts,
  { memory }: Pick<Deps, "memory">,
): Promise<RetentionFacts> {
  // Of the whole project: which life a backup is of may follow from the others.
  const { backups, broken } = await readCatalog(store, project, undefined, { memory });
  const wanted = (one: string): boolean => environment === undefined || one === environment;
  const outOfLife = lifeJudge(backups, generations);
  return {
    backups: backups
      .filter(({ manifest }) => wanted(manifest.environment))
      .map((backup): RetentionCandidate => ({ ...backup, ofThisLife: outOfLife(backup) === undefined })),
    broken: broken.filter((one) => wanted(one.environment)),
    inUse,
    removeBroken,
  };
}

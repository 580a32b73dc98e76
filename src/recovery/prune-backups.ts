import { readStanding } from "../backup/catalog.ts";
import { isRequired, storeProblem } from "../backup/holders.ts";
import { removeBackup } from "../backup/remove-backup.ts";
import { planRetention, type RetentionDecision } from "../backup/retention.ts";
import { isKept } from "../backup/standing.ts";
import type { RetentionPolicy } from "../config/retention.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { type PrunedStore, type PruneResult, prunedView } from "./prune-view.ts";
import { readRetentionFacts, readSharedFacts } from "./retention-facts.ts";
import { storesNamed } from "./verify-backups.ts";

export interface PruneRequest {
  readonly config: Config;
  /** Undefined: every one. */
  readonly environment: string | undefined;
  /** URL of the one store; undefined: all of them. */
  readonly store: string | undefined;
  /** Those of no use too. */
  readonly broken: boolean;
  readonly dryRun: boolean;
}

export type PruneDeps = Pick<Deps, "stores" | "version" | "signal" | "out" | "memory">;

interface PlannedStore {
  readonly store: ObjectStore;
  readonly result: PrunedStore;
}

/** Removes what retention does not keep, store by store, after it was shown and agreed to. */
export async function pruneBackups(
  request: PruneRequest,
  deps: PruneDeps & Pick<Deps, "prompt">,
): Promise<PruneResult> {
  const planned = await planPrune(request, deps);
  const count = planned.reduce((sum, { result }) => sum + removals(result).length, 0);
  const plan = resultOf(request, planned);
  if (request.dryRun || count === 0) return plan;
  deps.out.show(plan, prunedView);
  if (!(await deps.prompt.confirm(`remove ${count} ${count === 1 ? "backup" : "backups"}?`)))
    throw new SummitError("check", "not agreed to, nothing was removed", { hint: "summitctl backups prune --yes" });
  return await carryOut(request, planned, deps);
}

/** What runs after a backup: retention of that environment, where summit.yaml asks for it. Undefined: nowhere. */
export async function applyRetention(
  config: Config,
  environment: string,
  deps: PruneDeps,
): Promise<PruneResult | undefined> {
  if (config.retention === undefined && config.stores.every(({ retention }) => retention === undefined))
    return undefined;
  const request = { config, environment, store: undefined, broken: false, dryRun: false };
  return await carryOut(request, await planPrune(request, deps), deps);
}

async function planPrune(request: PruneRequest, deps: PruneDeps): Promise<PlannedStore[]> {
  const { config, environment, broken } = request;
  const stores = storesNamed(await deps.stores(), request.store).flatMap((store) => {
    const policy = policyOf(store, config);
    return policy === undefined ? [] : [{ store, policy }];
  });
  if (stores.length === 0) throw noPolicy();
  const shared = await readSharedFacts(config, deps);
  const planned: PlannedStore[] = [];
  for (const { store, policy } of stores) {
    const common = { url: store.url, required: isRequired(store, config), removed: [] };
    try {
      const wanted = { project: config.project, environment, removeBroken: broken };
      const facts = await readRetentionFacts(store, wanted, shared, deps);
      const decisions = planRetention(facts, policy, await store.now());
      planned.push({ store, result: { ...common, decisions, problem: null } });
    } catch (error) {
      const problem = `nothing is removed there: ${storeProblem(error, deps)}`;
      deps.out.warn(`${store.url}: ${problem}`);
      planned.push({ store, result: { ...common, decisions: [], problem } });
    }
  }
  return planned;
}

const policyOf = ({ url }: ObjectStore, { stores, retention }: Config): RetentionPolicy | undefined =>
  stores.find((store) => store.url === url)?.retention ?? retention;

const noPolicy = (): SummitError =>
  new SummitError("config", "summit.yaml says nothing about what to keep, so every backup stays", {
    hint: "retention: { last: 3, daily: 14, weekly: 8, monthly: 12 }",
  });

const removals = ({ decisions }: PrunedStore): RetentionDecision[] =>
  decisions.filter(({ action }) => action === "remove");

const resultOf = ({ dryRun }: PruneRequest, planned: readonly PlannedStore[]): PruneResult => ({
  schema: "summitctl.backups-pruned.v1",
  dryRun,
  stores: planned.map(({ result }) => result),
});

async function carryOut(
  request: PruneRequest,
  planned: readonly PlannedStore[],
  deps: PruneDeps,
): Promise<PruneResult> {
  const done: PlannedStore[] = [];
  for (const one of planned) done.push({ ...one, result: await removeFrom(one, request.config.project, deps) });
  return resultOf(request, done);
}

async function removeFrom({ store, result }: PlannedStore, project: string, deps: PruneDeps): Promise<PrunedStore> {
  const doomed = removals(result);
  if (doomed.length === 0) return result;
  const removed: string[] = [];
  const task = deps.out.task(`remove ${doomed.length} from ${store.url}`);
  try {
    // The oldest first: a cut leaves what a next run would leave, and more.
    for (const { id, environment } of doomed.toReversed()) {
      deps.signal.throwIfAborted();
      task.progress({ text: `${removed.length + 1} of ${doomed.length}` });
      const place = { project, environment, id };
      // Somebody may have kept it since the plan was made.
      if (isKept(await readStanding(store, place), await store.now())) continue;
      await removeBackup(store, place);
      removed.push(id);
    }
    task.done();
    return { ...result, removed };
  } catch (error) {
    task.fail();
    const problem = `removed ${removed.length} of ${doomed.length}: ${storeProblem(error, deps)}`;
    deps.out.warn(`${store.url}: ${problem}`);
    return { ...result, removed, problem };
  }
}

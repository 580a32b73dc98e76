import type { RetentionPolicy } from "../config/retention.ts";
import type { BrokenBackup, CataloguedBackup } from "./catalog.ts";
import { ofBuckets } from "./retention-buckets.ts";
import { failedVerification, isKept } from "./standing.ts";

export interface RetentionFacts {
  readonly backups: readonly RetentionCandidate[];
  readonly broken: readonly BrokenBackup[];
  /** Ids that something is at work with, and what: they stay. */
  readonly inUse: ReadonlyMap<string, string>;
  /** Whether those that are of no use may go too. */
  readonly removeBroken: boolean;
}

export interface RetentionCandidate extends CataloguedBackup {
  /** Backups of the life that their environment has now and those of an earlier one do not count for each other. */
  readonly ofThisLife: boolean;
}

export interface RetentionDecision {
  readonly id: string;
  readonly environment: string;
  readonly action: "keep" | "remove";
  /** Never empty. */
  readonly reasons: readonly string[];
  readonly storedAt: string;
  /** Null: it cannot be read. */
  readonly dataFrom: string | null;
  readonly storedBytes: number | null;
}

/**
 * What to do with every backup, newest first; pure and total. `now` is the store's time. Environments do not count for
 * each other. Of each, the newest good one and `floor` good ones stay whatever the policy says; so do those that
 * somebody keeps, that are in use, that have a record nobody can read, and that were stored after `now`. Those of no
 * use stay unless they are to be removed too, and then only beside a good one. Planning what is left removes nothing.
 */
export function planRetention(facts: RetentionFacts, policy: RetentionPolicy, now: Date): RetentionDecision[] {
  const groups = new Map<string, RetentionCandidate[]>();
  for (const backup of facts.backups) {
    const name = `${backup.manifest.environment}/${backup.ofThisLife}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [backup]);
    else group.push(backup);
  }
  const decisions = [...groups.values()].flatMap((group) => planGroup(group, facts, { policy, now }));
  const saved = new Set(
    decisions.filter(({ reasons }) => reasons.includes(NEWEST)).map(({ environment }) => environment),
  );
  return [...decisions, ...facts.broken.map((one) => planBroken(one, facts, { saved, now }))].sort((a, b) =>
    a.storedAt < b.storedAt ? 1 : a.storedAt > b.storedAt ? -1 : 0,
  );
}

const NEWEST = "the newest good one";

interface Rules {
  readonly policy: RetentionPolicy;
  readonly now: Date;
}

function planGroup(
  group: readonly RetentionCandidate[],
  facts: RetentionFacts,
  { policy, now }: Rules,
): RetentionDecision[] {
  const newestFirst = [...group].sort((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
  const good = newestFirst.filter((backup) => backup.storedAt <= now && !failedVerification(backup.standing));
  const reasons = ruleReasons(good, policy);
  return newestFirst.map((backup) => {
    const own = [...heldReasons(backup, facts, now), ...(reasons.get(backup) ?? [])];
    if (failedVerification(backup.standing)) own.push(...uselessReasons("verification failed", facts, good.length > 0));
    const { manifest, storedAt } = backup;
    return {
      id: manifest.id,
      environment: manifest.environment,
      action: own.length > 0 ? "keep" : "remove",
      reasons: own.length > 0 ? own : [removalReason(backup)],
      storedAt: storedAt.toISOString(),
      dataFrom: manifest.dataFrom,
      storedBytes: manifest.storedBytes,
    };
  });
}

/** `good` is newest first. */
function ruleReasons(good: readonly RetentionCandidate[], policy: RetentionPolicy): Map<RetentionCandidate, string[]> {
  const reasons = new Map<RetentionCandidate, string[]>();
  const add = (backup: RetentionCandidate, reason: string): void => {
    const own = reasons.get(backup);
    if (own === undefined) reasons.set(backup, [reason]);
    else own.push(reason);
  };
  const [newest] = good;
  if (newest === undefined) return reasons;
  add(newest, NEWEST);
  for (const [index, backup] of good.slice(0, policy.last).entries())
    add(backup, `last ${index + 1} of ${policy.last}`);
  for (const { item, reason } of ofBuckets(good, takenAt, policy)) add(item, reason);
  for (const backup of reasons.size < policy.floor ? good : []) {
    if (reasons.size >= policy.floor) break;
    if (!reasons.has(backup)) add(backup, `floor of ${policy.floor} good ones`);
  }
  return reasons;
}

/** The data cannot be newer than the backup: a server's clock that ran ahead moves nothing. */
const takenAt = ({ manifest: { dataFrom }, storedAt }: RetentionCandidate): number =>
  Math.min(Date.parse(dataFrom), storedAt.getTime());

function heldReasons(
  { storedAt, standing, ...rest }: CataloguedBackup | BrokenBackup,
  { inUse }: RetentionFacts,
  now: Date,
): string[] {
  const id = "manifest" in rest ? rest.manifest.id : rest.id;
  const user = inUse.get(id);
  return [
    ...(storedAt > now ? ["stored in the future, by the store's clock"] : []),
    ...(isKept(standing, now) && standing.kept !== null
      ? [`kept by ${standing.kept.by}: ${standing.kept.reason}`]
      : []),
    ...(user === undefined ? [] : [user]),
    ...(standing.problems.length > 0 ? ["a record of it cannot be read"] : []),
  ];
}

/** Why what is of no use stays all the same. */
function uselessReasons(what: string, { removeBroken }: RetentionFacts, isGoodThere: boolean): string[] {
  if (!removeBroken) return [`${what}; --broken removes it`];
  return isGoodThere ? [] : [`${what}, and there is no good one`];
}

const removalReason = ({ standing }: CataloguedBackup): string =>
  failedVerification(standing) ? "verification failed" : "no rule keeps it";

function planBroken(
  backup: BrokenBackup,
  facts: RetentionFacts,
  { saved, now }: { saved: ReadonlySet<string>; now: Date },
): RetentionDecision {
  const { id, environment, storedAt } = backup;
  const reasons = [
    ...heldReasons(backup, facts, now),
    ...(backup.cut
      ? uselessReasons("damaged", facts, saved.has(environment))
      : ["cannot be read; another version of summitctl may"]),
  ];
  return {
    id,
    environment,
    action: reasons.length > 0 ? "keep" : "remove",
    reasons: reasons.length > 0 ? reasons : ["damaged"],
    storedAt: storedAt.toISOString(),
    dataFrom: null,
    storedBytes: null,
  };
}

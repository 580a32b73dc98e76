import { durationText } from "../core/time.ts";

export type CheckState = "OK" | "WARNING" | "CRITICAL" | "UNKNOWN";

/** What monitoring plugins end with. */
export const CHECK_EXIT: Readonly<Record<CheckState, number>> = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 };

export interface BackupFacts {
  readonly id: string;
  readonly dataFrom: Date;
  /** By the store's clock. */
  readonly storedAt: Date;
  readonly bytes: number;
  /** A failover could take it. */
  readonly counts: boolean;
  readonly verified: { readonly ok: boolean; readonly at: string } | null;
}

export interface StoreFacts {
  readonly url: string;
  readonly required: boolean;
  /** Why not all of it is known. */
  readonly problem?: string;
  /** Its clock; undefined when there is a problem. */
  readonly now?: Date;
  /** Newest first. */
  readonly backups: readonly BackupFacts[];
  /** Ids of those that cannot be read. */
  readonly broken: readonly string[];
}

export interface Limits {
  /** Seconds. */
  readonly warnAge: number;
  readonly critAge: number;
  /** Percent. */
  readonly sizeDrop: number;
  /** Seconds since a verification went well; undefined: not judged. */
  readonly verifyAge: number | undefined;
}

export interface CheckFacts {
  readonly limits: Limits;
  readonly stores: readonly StoreFacts[];
}

export interface CheckFinding {
  readonly state: Exclude<CheckState, "OK">;
  readonly message: string;
}

export interface CheckResult {
  readonly schema: "summitctl.check.v1";
  readonly state: CheckState;
  /** Worst first. */
  readonly findings: readonly CheckFinding[];
  readonly newest: NewestBackup | null;
  readonly limits: Limits | null;
  readonly perfdata: readonly string[];
}

export interface NewestBackup {
  readonly id: string;
  /** Seconds, by its store's clock. */
  readonly age: number;
  readonly bytes: number;
  /** URLs of the stores that have it. */
  readonly stores: readonly string[];
}

/** Seconds in which a copy may still be on its way to the other stores. */
const COPY_GRACE = 900;
/** Fewer backups than this before the newest say nothing about its size. */
const ENOUGH_SIZES = 3;

/** Pure. Every store is judged by itself and by its own clock: a copy that is fresh hides no store that is stale. */
export function judgeStores({ limits, stores }: CheckFacts): CheckResult {
  const newest = newestOf(stores);
  const findings = [
    ...stores.flatMap((store) => judgeStore(store, limits)),
    ...missingCopies(newest, stores),
    ...judgeSize(newest, stores, limits),
    ...judgeVerification(stores, limits),
  ].sort((a, b) => CHECK_EXIT[b.state] - CHECK_EXIT[a.state]);
  return {
    schema: "summitctl.check.v1",
    state: findings[0]?.state ?? "OK",
    findings,
    newest,
    limits,
    perfdata: perfdata(newest, stores, limits),
  };
}

function judgeStore(store: StoreFacts, { warnAge, critAge }: Limits): readonly CheckFinding[] {
  const { url, required, problem, broken } = store;
  const bad = required ? "CRITICAL" : "WARNING";
  if (problem !== undefined) return [{ state: bad, message: `${url}: ${problem}` }];
  const damaged: CheckFinding[] =
    broken.length === 0 ? [] : [{ state: "WARNING", message: `${broken.length} damaged in ${url}: ${some(broken)}` }];
  const first = store.backups.find(({ counts }) => counts);
  if (first === undefined) return [{ state: bad, message: `no backup that counts in ${url}` }, ...damaged];
  const age = ageOf(first, store);
  if (age < warnAge) return damaged;
  const limit = age < critAge ? warnAge : critAge;
  const state = age < critAge ? "WARNING" : bad;
  return [
    { state, message: `newest backup in ${url} is ${durationText(age)} old, limit ${durationText(limit)}` },
    ...damaged,
  ];
}

/** Of data and of storing the older: a clock that is wrong on one side makes nothing look fresh. */
const ageOf = ({ dataFrom, storedAt }: BackupFacts, { now }: StoreFacts): number =>
  now === undefined ? 0 : (now.getTime() - Math.min(dataFrom.getTime(), storedAt.getTime())) / 1000;

function newestOf(stores: readonly StoreFacts[]): NewestBackup | null {
  const firsts = stores.flatMap((store) => {
    const backup = store.now === undefined ? undefined : store.backups.find(({ counts }) => counts);
    return backup === undefined ? [] : [{ backup, age: ageOf(backup, store) }];
  });
  const youngest = firsts.sort((a, b) => a.age - b.age)[0];
  if (youngest === undefined) return null;
  const { id, bytes } = youngest.backup;
  return { id, bytes, age: youngest.age, stores: stores.filter((store) => has(store, id)).map(({ url }) => url) };
}

const has = ({ backups }: StoreFacts, id: string): boolean => backups.some((backup) => backup.id === id);

function missingCopies(newest: NewestBackup | null, stores: readonly StoreFacts[]): readonly CheckFinding[] {
  if (newest === null || newest.age < COPY_GRACE) return [];
  return stores
    .filter((store) => store.required && store.problem === undefined && !has(store, newest.id))
    .map(({ url }) => ({ state: "WARNING", message: `${newest.id} is not in ${url}, which is required` }));
}

function judgeSize(
  newest: NewestBackup | null,
  stores: readonly StoreFacts[],
  { sizeDrop }: Limits,
): readonly CheckFinding[] {
  const usual = newest === null ? undefined : usualSize(newest, stores);
  if (newest === null || usual === undefined) return [];
  const drop = Math.floor((1 - newest.bytes / usual) * 100);
  if (drop < sizeDrop) return [];
  return [{ state: "WARNING", message: `${newest.id} is ${drop} % smaller than the ones before it` }];
}

/** Median of the ten before the newest. */
function usualSize({ id }: NewestBackup, stores: readonly StoreFacts[]): number | undefined {
  const counting = (stores.find((store) => has(store, id))?.backups ?? []).filter(({ counts }) => counts);
  const at = counting.findIndex((backup) => backup.id === id);
  const sizes = counting
    .slice(at + 1, at + 11)
    .map(({ bytes }) => bytes)
    .sort((a, b) => a - b);
  if (at === -1 || sizes.length < ENOUGH_SIZES) return undefined;
  const middle = sizes.length / 2;
  return ((sizes[Math.ceil(middle) - 1] ?? 0) + (sizes[Math.floor(middle)] ?? 0)) / 2;
}

/** How many of the newest are looked at for a verification that failed: older ones were seen in their time. */
const RECENT = 10;

function judgeVerification(stores: readonly StoreFacts[], { verifyAge }: Limits): readonly CheckFinding[] {
  const failed = stores.flatMap(({ url, backups }): CheckFinding[] =>
    backups
      .slice(0, RECENT)
      .filter(({ verified }) => verified?.ok === false)
      .map(({ id }) => ({ state: "WARNING", message: `verification of ${id} in ${url} failed` })),
  );
  if (verifyAge === undefined) return failed;
  const ages = stores.flatMap(({ backups, now }) =>
    backups.flatMap(({ verified }) =>
      verified?.ok === true && now !== undefined ? [(now.getTime() - Date.parse(verified.at)) / 1000] : [],
    ),
  );
  const youngest = Math.min(...ages);
  if (youngest <= verifyAge) return failed;
  const what = ages.length === 0 ? "no backup was ever verified" : `last verified ${durationText(youngest)} ago`;
  return [...failed, { state: "WARNING", message: `${what}, limit ${durationText(verifyAge)}` }];
}

function perfdata(newest: NewestBackup | null, stores: readonly StoreFacts[], limits: Limits): readonly string[] {
  const broken = stores.reduce((sum, store) => sum + store.broken.length, 0);
  const reached = stores.filter(({ problem }) => problem === undefined).length;
  return [
    ...(newest === null
      ? []
      : [
          `age=${Math.round(newest.age)}s;${Math.round(limits.warnAge)};${Math.round(limits.critAge)};0`,
          `size=${newest.bytes}B;;;0`,
          `copies=${newest.stores.length};;;0;${stores.length}`,
        ]),
    `stores=${reached};;;0;${stores.length}`,
    `damaged=${broken};;;0`,
  ];
}

const some = (ids: readonly string[]): string => (ids.length > 3 ? `${ids.slice(0, 3).join(", ")}, …` : ids.join(", "));

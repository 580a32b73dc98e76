import { type Backup, type Catalog, readBackup, readCatalog } from "../backup/catalog.ts";
import { copyBackup } from "../backup/copy-backup.ts";
import { findHolders, type Holder, isRequired, storeProblem } from "../backup/holders.ts";
import { databaseMembers, type Manifest, storedBytes } from "../backup/manifest.ts";
import { checkSizes } from "../backup/read-member.ts";
import { failedVerification } from "../backup/standing.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { type ErrorKind, isSummitError, messageOf, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { chooseBackup } from "./choose-backup.ts";
import { sweepCopies } from "./copy-further.ts";
import { storesNamed } from "./verify-backups.ts";

export interface CopyRequest {
  readonly config: Pick<Config, "project" | "stores">;
  /** An id or `latest`; undefined: every backup. */
  readonly backup: string | undefined;
  /** Undefined: of any environment. */
  readonly environment: string | undefined;
  /** URL of the store to copy from; undefined: the first that has it whole. */
  readonly from: string | undefined;
  /** URL of the store to copy to; undefined: each other one that lacks it. */
  readonly to: string | undefined;
}

export interface CopiedResult {
  readonly schema: "summitctl.backups-copied.v1";
  readonly project: string;
  /** One for each backup and store that it was to be copied to. */
  readonly copies: readonly CopyOutcome[];
  /** Stores that could not be looked into: nothing was copied from or to them. */
  readonly unread: readonly { readonly url: string; readonly required: boolean; readonly problem: string }[];
}

export interface CopyOutcome {
  readonly backup: string;
  readonly environment: string;
  readonly databases: readonly string[];
  /** Null: no store has it whole. */
  readonly from: string | null;
  readonly to: string;
  /** A store that may not fail: summit.yaml requires it, or it was named. */
  readonly required: boolean;
  readonly outcome: "copied" | "was there already" | "failed";
  /** Whether it is kept from retention there now, or released, which it was not before. */
  readonly keptAnew: boolean;
  readonly storedBytes: number;
  readonly seconds: number;
  readonly problem: string | null;
  /** What kind of failure it was; null: none. */
  readonly problemKind: ErrorKind | null;
}

type CopyDeps = Pick<Deps, "stores" | "now" | "signal" | "out" | "memory">;

/**
 * Copies backups between the stores, one after the other, newest first. Each comes from the first store that has it
 * whole; where its bytes turn out not to be what was stored, from the next one. A store that fails does not hinder the
 * others. Throws when there is no such backup, and when a store is named that summit.yaml does not know.
 */
export async function copyBackups(request: CopyRequest, deps: CopyDeps): Promise<CopiedResult> {
  const all = await deps.stores();
  const sources = storesNamed(all, request.from);
  const targets = storesNamed(all, request.to);
  if (all.length === 1 || (sources.length === 1 && sources[0] === targets[0] && targets.length === 1)) {
    throw new SummitError("usage", "a backup is copied from one store to another, and here they are the same", {
      details: all.map(({ url }) => `summit.yaml names ${url}`),
      hint: all.length === 1 ? "stores: [..., file:///mnt/other]    # in summit.yaml" : "summitctl backups copy --all",
    });
  }
  const run: CopyRun = { ...request, all, sources, targets, swept: new Set() };
  const { project } = request.config;
  if (request.backup === undefined) return await copyAll(run, deps);
  const wanted = { id: request.backup, environment: request.environment };
  const id = wanted.id === "latest" ? (await chooseBackup(sources[0], project, wanted, deps)).manifest.id : wanted.id;
  const holders = await findHolders(request.config, { id, environment: request.environment }, all, deps);
  const copies = await copyOne(run, id, holders, deps);
  return { schema: "summitctl.backups-copied.v1", project, copies, unread: [] };
}

interface CopyRun extends CopyRequest {
  readonly all: readonly [ObjectStore, ...ObjectStore[]];
  readonly sources: readonly ObjectStore[];
  readonly targets: readonly ObjectStore[];
  /** URL and environment of where leftovers were removed already. */
  readonly swept: Set<string>;
}

async function copyAll(run: CopyRun, deps: CopyDeps): Promise<CopiedResult> {
  const { project } = run.config;
  const catalogs = new Map<ObjectStore, Catalog>();
  const unread: { url: string; required: boolean; problem: string }[] = [];
  for (const store of run.all) {
    try {
      catalogs.set(store, await readCatalog(store, project, run.environment, deps));
    } catch (error) {
      const problem = storeProblem(error, deps);
      deps.out.warn(`${store.url} could not be listed: ${problem}`);
      unread.push({ url: store.url, required: isRequired(store, run.config), problem });
    }
  }
  const copies: CopyOutcome[] = [];
  const seen = { ...run, sources: run.sources.filter(isRead), targets: run.targets.filter(isRead) };
  for (const id of idsToCopy(run, catalogs)) copies.push(...(await copyOne(seen, id, await holdersOf(id), deps)));
  return { schema: "summitctl.backups-copied.v1", project, copies, unread };

  function isRead(store: ObjectStore): boolean {
    return catalogs.has(store);
  }

  async function holdersOf(id: string): Promise<Holder[]> {
    const holders: Holder[] = [];
    for (const [store, { backups, broken }] of catalogs) {
      const base = { store, required: isRequired(store, run.config), backup: undefined };
      const listed = backups.find(({ manifest }) => manifest.id === id);
      const bad = broken.find((one) => one.id === id);
      try {
        const backup: Backup | undefined = listed === undefined ? undefined : await readBackup(store, listed);
        const problem = bad === undefined ? undefined : new SummitError("verification", bad.problem);
        holders.push({ ...base, backup, problem });
      } catch (error) {
        deps.signal.throwIfAborted();
        if (!isSummitError(error)) throw error;
        holders.push({ ...base, problem: error });
      }
    }
    return holders;
  }
}

/** Newest first: of those that some source has, and some target lacks. */
function idsToCopy({ sources, targets }: CopyRun, catalogs: ReadonlyMap<ObjectStore, Catalog>): string[] {
  const stored = new Map<string, Date>();
  for (const store of sources)
    for (const { manifest, storedAt } of catalogs.get(store)?.backups ?? [])
      if (!stored.has(manifest.id)) stored.set(manifest.id, storedAt);
  const lacks = (store: ObjectStore, id: string): boolean => {
    const catalog = catalogs.get(store);
    return catalog !== undefined && !catalog.backups.some(({ manifest }) => manifest.id === id);
  };
  return [...stored]
    .filter(([id]) => targets.some((store) => lacks(store, id)))
    .sort(([, a], [, b]) => b.getTime() - a.getTime())
    .map(([id]) => id);
}

async function copyOne(run: CopyRun, id: string, holders: readonly Holder[], deps: CopyDeps): Promise<CopyOutcome[]> {
  const sources: Source[] = [];
  for (const holder of holders.filter(({ store }) => run.sources.includes(store)))
    if (holder.backup !== undefined) sources.push(await sourceOf(holder, deps));
  const [named] = sources;
  if (named === undefined) throw nowhere(id, holders, run);
  const outcomes: CopyOutcome[] = [];
  for (const holder of holders) {
    const isTarget = run.targets.includes(holder.store) && !(run.targets.length > 1 && holder.store === named.store);
    // Of stores that were not named, only those that lack it. What is there and kept here becomes kept there.
    if (!isTarget) continue;
    outcomes.push(await copyInto(run, holder, sources, deps));
  }
  return outcomes;
}

interface Source {
  readonly store: ObjectStore;
  readonly manifest: Manifest;
  /** Why nothing is copied from there. */
  readonly problem: SummitError | undefined;
}

/** What a verification found wrong must not become a copy that no verification has failed of. */
async function sourceOf({ store, backup }: Holder, { signal }: CopyDeps): Promise<Source> {
  const { manifest, standing } = backup as NonNullable<Holder["backup"]>;
  if (failedVerification(standing)) {
    const problem = new SummitError("verification", `the verification of ${manifest.id} in ${store.url} failed`, {
      hint: `summitctl backups verify ${manifest.id}`,
    });
    return { store, manifest, problem };
  }
  try {
    await checkSizes(store, manifest);
    return { store, manifest, problem: undefined };
  } catch (error) {
    signal.throwIfAborted();
    if (!isSummitError(error)) throw error;
    return { store, manifest, problem: error };
  }
}

async function copyInto(
  run: CopyRun,
  { store: to, problem }: Holder,
  sources: readonly Source[],
  deps: CopyDeps,
): Promise<CopyOutcome> {
  const manifest = (sources[0] as Source).manifest;
  const began = deps.now();
  const base = {
    backup: manifest.id,
    environment: manifest.environment,
    databases: databaseMembers(manifest).map(({ database }) => database),
    to: to.url,
    required: run.to !== undefined || isRequired(to, run.config),
    storedBytes: storedBytes(manifest),
  };
  const seconds = (): number => (deps.now().getTime() - began.getTime()) / 1000;
  const failed = (from: string | null, error: SummitError): CopyOutcome => {
    deps.out.warn(`${manifest.id} is not in ${to.url}: ${error.message}`);
    const rest = { problem: messageOf(error), problemKind: error.kind, keptAnew: false, seconds: seconds() };
    return { ...base, from, outcome: "failed", ...rest };
  };
  if (problem !== undefined) return failed(null, problem);
  let last: { from: string | null; error: SummitError } | undefined;
  for (const { store, manifest: found, problem: bad } of sources) {
    if (store === to) continue;
    if (bad !== undefined) {
      last ??= { from: null, error: bad };
      continue;
    }
    try {
      await sweepOnce(run, to, found, deps);
      const { isNew, isKeptAnew } = await copyBackup({ manifest: found, store }, to, deps);
      const rest = { problem: null, problemKind: null, keptAnew: isKeptAnew, seconds: seconds() };
      return { ...base, from: store.url, outcome: isNew ? "copied" : "was there already", ...rest };
    } catch (error) {
      deps.signal.throwIfAborted();
      if (!isSummitError(error)) throw error;
      last = { from: store.url, error };
      // Only what is wrong with the bytes may be right elsewhere.
      if (error.kind !== "verification") break;
    }
  }
  return failed(last?.from ?? null, last?.error ?? nowhere(manifest.id, [], run));
}

/** Not in the first store: into that one backups are taken, and each of them removes leftovers. */
async function sweepOnce({ all, swept }: CopyRun, to: ObjectStore, manifest: Manifest, deps: CopyDeps): Promise<void> {
  const what = `${to.url} ${manifest.environment}`;
  if (to === all[0] || swept.has(what)) return;
  swept.add(what);
  await sweepCopies(to, manifest, deps);
}

function nowhere(id: string, holders: readonly Holder[], { from }: CopyRequest): SummitError {
  const problem = holders.find((holder) => holder.problem !== undefined)?.problem;
  if (problem !== undefined) return problem;
  return new SummitError("check", `${from ?? "no store"} has ${from === undefined ? "" : "no "}backup ${id}`, {
    hint: "summitctl backups list",
  });
}

import { bytesText } from "../backup/backup-view.ts";
import { type BrokenBackup, type Catalog, readCatalog } from "../backup/catalog.ts";
import { failedVerification, standingTexts } from "../backup/standing.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { exitCode, isSummitError, messageOf } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { ageText } from "../core/time.ts";
import { type Generation, listGenerations } from "../environment/generations.ts";
import { countingBackups, type JudgedBackup, judgeBackups } from "./counting-backups.ts";

export interface BackupsRequest {
  readonly config: Pick<Config, "project" | "stores">;
  /** Undefined: of every environment. */
  readonly environment: string | undefined;
}

export interface BackupsResult {
  readonly schema: "summitctl.backups.v1";
  readonly project: string;
  readonly stores: readonly ListedStore[];
  /** When this was asked. */
  readonly now: string;
}

export interface ListedStore {
  readonly url: string;
  readonly required: boolean;
  /** Why this is not all that it has; null: it is. */
  readonly problem: string | null;
  /** Newest first. */
  readonly backups: readonly ListedBackup[];
  readonly broken: readonly BrokenBackup[];
}

export interface ListedBackup extends Omit<JudgedBackup, "notCounting"> {
  /** It is what `latest` means, or a copy of that. */
  readonly latest: boolean;
  /** Why it can never be; null: it counts. */
  readonly notCounting: string | null;
}

type ListDeps = Pick<Deps, "stores" | "now" | "out" | "signal" | "memory">;

/** What the stores have. One that fails is told, and does not hide the others. */
export async function listBackups(
  { config: { project, stores: configured }, environment }: BackupsRequest,
  deps: ListDeps,
): Promise<BackupsResult> {
  const stores = await deps.stores();
  const [generations, ...looks] = await Promise.all([
    attempt(listGenerations(stores[0], project), [], deps),
    ...stores.map((store) => attempt(readCatalog(store, project, undefined, deps), NOTHING, deps)),
  ]);
  const latest = latestId(looks[0]?.value ?? NOTHING, generations);
  const listed = stores.map((store, index): ListedStore => {
    const { value, problem } = looks[index] ?? { value: NOTHING, problem: undefined };
    const wanted = <T>(all: readonly T[], of: (one: T) => string): T[] =>
      all.filter((one) => environment === undefined || of(one) === environment);
    return {
      url: store.url,
      required: isRequired(store, configured),
      problem: problem ?? (index === 0 ? generations.problem : undefined) ?? null,
      backups: wanted(judgeBackups(value.backups, generations.value), ({ manifest }) => manifest.environment).map(
        (backup) => ({
          ...backup,
          latest: backup.manifest.id === latest,
          notCounting: backup.notCounting ?? null,
        }),
      ),
      broken: wanted(value.broken, (one) => one.environment),
    };
  });
  for (const { url, problem } of listed) if (problem !== null) deps.out.warn(`not all of ${url} is listed: ${problem}`);
  return { schema: "summitctl.backups.v1", project, stores: listed, now: deps.now().toISOString() };
}

/** 7 when a store that summit.yaml requires did not tell all that it has. */
export const listExit = ({ stores }: BackupsResult): number =>
  exitCode(stores.some(({ required, problem }) => required && problem !== null) ? "store" : "ok");

const NOTHING: Catalog = { backups: [], broken: [] };

interface Attempt<T> {
  readonly value: T;
  readonly problem: string | undefined;
}

async function attempt<T>(look: Promise<T>, otherwise: T, { signal }: ListDeps): Promise<Attempt<T>> {
  try {
    return { value: await look, problem: undefined };
  } catch (error) {
    signal.throwIfAborted();
    if (!isSummitError(error)) throw error;
    return { value: otherwise, problem: messageOf(error) };
  }
}

/** Nothing is said to be the latest where generations cannot be read: what a failover would take is not known. */
const latestId = ({ backups }: Catalog, generations: Attempt<readonly Generation[]>): string | undefined =>
  generations.problem === undefined ? countingBackups(backups, generations.value)[0]?.manifest.id : undefined;

const isRequired = ({ url }: ObjectStore, stores: Config["stores"]): boolean =>
  stores.find((store) => store.url === url)?.required !== false;

export function backupsView({ stores, now, project }: BackupsResult): View {
  const isEmpty = ({ backups, broken, problem }: ListedStore) =>
    backups.length + broken.length === 0 && problem === null;
  if (stores.every(isEmpty)) return [{ text: `project "${project}" has no backups; take one with: summitctl backup` }];
  return stores.flatMap(
    ({ url, problem, backups, broken }): View => [
      { title: url },
      ...(problem === null ? [] : [{ text: `NOT ALL OF IT COULD BE READ: ${problem}` }]),
      {
        head: ["id", "environment", "data from", "size", "databases", "rows", ""],
        rows: [
          ...backups.map((backup) => row(backup, new Date(now))),
          ...broken.map((one) => brokenRow(one, new Date(now))),
        ],
      },
    ],
  );
}

const row = ({ manifest, latest, notCounting, standing }: ListedBackup, now: Date): string[] => [
  manifest.id,
  manifest.environment,
  ageText(new Date(manifest.dataFrom), now),
  bytesText(manifest.storedBytes),
  manifest.databases.join(", "),
  String(manifest.rows),
  [
    ...(latest ? ["latest"] : []),
    // Of one whose verification failed, the verification says it.
    ...(notCounting === null || failedVerification(standing) ? [] : [`never latest: ${notCounting}`]),
    ...standingTexts(standing, now),
  ].join(", "),
];

const brokenRow = ({ id, environment, problem, standing }: BrokenBackup, now: Date): string[] => [
  id,
  environment,
  "DAMAGED",
  "-",
  problem,
  "-",
  standingTexts(standing, now).join(", "),
];

import type { CataloguedBackup } from "../backup/catalog.ts";
import type { Manifest } from "../backup/manifest.ts";
import { failedVerification, type Standing } from "../backup/standing.ts";
import type { Generation } from "../environment/generations.ts";

/** What is judged of a backup: of one that is listed or of a whole one. */
interface Judgeable {
  readonly manifest: Pick<Manifest, "environment" | "generation"> & { readonly imported?: unknown };
  readonly storedAt: Date;
  readonly standing: Standing;
}

export type Judged<B> = B & {
  /** Why it cannot be `latest`, in words; undefined: it counts. */
  readonly notCounting: string | undefined;
};

export type JudgedBackup = Judged<CataloguedBackup>;

/**
 * The backups that count, newest first by the store's time. The first of them is `latest`, for every command. One that
 * was stored after its generation had a successor does not count: it is of an environment that had been failed over
 * from and came back from the dead. One that was imported is of no life of an environment: it is used by its id. One whose verification failed does not count until a later one goes well.
 */
export const countingBackups = <B extends Judgeable>(
  backups: readonly B[],
  generations: readonly Generation[],
): Judged<B>[] => judgeBackups(backups, generations).filter(({ notCounting }) => notCounting === undefined);

/**
 * Every backup, newest first by the store's time, and whether it counts. A store of copies has no record of
 * generations; there the manifests tell, and those of the newest generation that any of them names count.
 */
export function judgeBackups<B extends Judgeable>(
  backups: readonly B[],
  generations: readonly Generation[],
): Judged<B>[] {
  const outOfLife = lifeJudge(backups, generations);
  return backups
    .map((backup) => ({ ...backup, notCounting: outOfLife(backup) ?? byVerification(backup) }))
    .sort((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
}

/** Says why a backup is not of the life that its environment had; undefined: it is. Nothing else is judged. */
export function lifeJudge(
  backups: readonly Judgeable[],
  generations: readonly Generation[],
): (backup: Judgeable) => string | undefined {
  const newest = backups.reduce((highest, { manifest }) => Math.max(highest, manifest.generation), 0);
  return (backup) => {
    if (backup.manifest.imported !== undefined) return "it was imported";
    return generations.length > 0 ? byRecord(backup, generations) : byManifest(backup, newest);
  };
}

const byVerification = ({ standing }: Judgeable): string | undefined =>
  failedVerification(standing) ? "its verification failed" : undefined;

function byRecord({ manifest, storedAt }: Judgeable, generations: readonly Generation[]): string | undefined {
  const { environment, generation } = manifest;
  if (generation === 0) return "its environment had never been live";
  const own = generations.find(({ number }) => number === generation);
  if (own === undefined) return `the store knows of no generation ${generation}`;
  if (own.environment !== environment) return `generation ${generation} is of "${own.environment}"`;
  const successor = generations.find(({ number }) => number === generation + 1);
  if (successor === undefined || storedAt <= new Date(successor.committedAt)) return undefined;
  return `stored after the failover to "${successor.environment}"`;
}

const byManifest = ({ manifest: { generation } }: Judgeable, newest: number): string | undefined =>
  generation === newest ? undefined : `it is of generation ${generation}, others are of ${newest}`;

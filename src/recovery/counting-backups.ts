import type { Backup } from "../backup/catalog.ts";
import type { Generation } from "../environment/generations.ts";

/**
 * The backups that count, newest first by the store's time. One that was stored after its generation had a successor
 * does not: it is of an environment that had been failed over from and came back from the dead.
 */
export function countingBackups(backups: readonly Backup[], generations: readonly Generation[]): Backup[] {
  const counts = ({ manifest, storedAt }: Backup): boolean => {
    const own = generations.find(({ number }) => number === manifest.generation);
    const successor = generations.find(({ number }) => number === manifest.generation + 1);
    return (
      own?.environment === manifest.environment &&
      (successor === undefined || storedAt <= new Date(successor.committedAt))
    );
  };
  return backups.filter(counts).sort((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
}

import type { RetentionPolicy } from "../config/retention.ts";

type BucketRule = "hourly" | "daily" | "weekly" | "monthly" | "yearly";

const DAY = 86_400_000;

/** Number of the bucket that a moment falls into, growing with time; in UTC, weeks from Monday on. */
const BUCKETS: Readonly<Record<BucketRule, (time: number) => number>> = {
  hourly: (time) => Math.floor(time / 3_600_000),
  daily: (time) => Math.floor(time / DAY),
  // The first of January 1970 was a Thursday.
  weekly: (time) => Math.floor((time / DAY + 3) / 7),
  monthly: (time) => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth(),
  yearly: (time) => new Date(time).getUTCFullYear(),
};

interface Kept<T> {
  readonly item: T;
  readonly reason: string;
}

/**
 * What the rules about time keep: of each bucket the item that was taken last, in so many buckets as the rule says,
 * empty ones not counted; and all that were taken `within` so long before the last. Of one moment the first given wins.
 */
export function ofBuckets<T>(items: readonly T[], takenAt: (item: T) => number, policy: RetentionPolicy): Kept<T>[] {
  const byTime = items.map((item) => ({ item, time: takenAt(item) })).sort((a, b) => b.time - a.time);
  const kept: Kept<T>[] = [];
  for (const [rule, bucketOf] of Object.entries(BUCKETS) as [BucketRule, (time: number) => number][]) {
    let previous: number | undefined;
    let found = 0;
    for (const { item, time } of byTime) {
      if (found >= policy[rule]) break;
      const bucket = bucketOf(time);
      if (bucket === previous) continue;
      previous = bucket;
      found += 1;
      kept.push({ item, reason: `${rule} ${found} of ${policy[rule]}` });
    }
  }
  const since = policy.within > 0 ? (byTime[0]?.time ?? 0) - policy.within * 1000 : Number.POSITIVE_INFINITY;
  for (const { item, time } of byTime) {
    if (time < since) break;
    kept.push({ item, reason: "within the time to keep all" });
  }
  return kept;
}

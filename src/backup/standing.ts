import { ageText, durationText } from "../core/time.ts";
import type { BackupRecord, KeptRecord, VerifiedRecord } from "./records.ts";

/** What the records of a backup come to, in one store. */
export interface Standing {
  /** Retention leaves it alone; null: it was never kept, or was released. */
  readonly kept: Pick<KeptRecord, "reason" | "by" | "until"> | null;
  readonly verification: Verification | null;
  /** Records that cannot be read. They neither make a backup count nor let it go. */
  readonly problems: readonly string[];
}

export interface Verification extends Pick<VerifiedRecord, "ok" | "how" | "seconds" | "problems"> {
  /** By the store's clock. */
  readonly at: string;
}

export interface StoredRecord {
  readonly record: BackupRecord;
  readonly storedAt: Date;
}

export const NO_STANDING: Standing = { kept: null, verification: null, problems: [] };

/** Pure: records in any order, judged by the store's time. */
export function standingOf(records: readonly StoredRecord[], problems: readonly string[]): Standing {
  if (records.length === 0) return problems.length === 0 ? NO_STANDING : { ...NO_STANDING, problems };
  const inOrder = [...records].sort(byStoreTime);
  return { kept: keptBy(inOrder), verification: verificationOf(inOrder), problems };
}

/**
 * Stores that tell whole seconds leave ties: there the writer's own clock decides, and of one moment the record that is
 * safer to believe.
 */
function byStoreTime(a: StoredRecord, b: StoredRecord): number {
  const stored = a.storedAt.getTime() - b.storedAt.getTime();
  if (stored !== 0) return stored;
  const written = Date.parse(a.record.at) - Date.parse(b.record.at);
  return written !== 0 ? written : caution(a.record) - caution(b.record);
}

const caution = (record: BackupRecord): number =>
  record.kind === "kept" || (record.kind === "verified" && !record.ok) ? 1 : 0;

function keptBy(inOrder: readonly StoredRecord[]): Standing["kept"] {
  const last = inOrder.findLast(({ record: { kind } }) => kind !== "verified")?.record;
  return last?.kind === "kept" ? { reason: last.reason, by: last.by, until: last.until } : null;
}

/** The newest one, unless a restore failed after which only reading went well: reading is the weaker proof. */
function verificationOf(inOrder: readonly StoredRecord[]): Verification | null {
  let found: Verification | null = null;
  for (const { record, storedAt } of inOrder) {
    if (record.kind !== "verified") continue;
    if (record.ok && record.how === "read" && found !== null && !found.ok && found.how === "restore") continue;
    const { ok, how, seconds, problems } = record;
    found = { ok, how, seconds, problems, at: storedAt.toISOString() };
  }
  return found;
}

export const failedVerification = ({ verification }: Standing): boolean => verification?.ok === false;

/** Whether it is kept at that time. */
export const isKept = ({ kept }: Standing, now: Date): boolean =>
  kept !== null && (kept.until === null || new Date(kept.until) > now);

/** `kept: before the upgrade`, `verified 2 h ago by read`; what a list says behind a backup. */
export function standingTexts(standing: Standing, now: Date): string[] {
  const { kept, verification, problems } = standing;
  const texts: string[] = [];
  if (kept !== null && isKept(standing, now))
    texts.push(`kept${kept.until === null ? "" : ` until ${kept.until.slice(0, 10)}`}: ${kept.reason}`);
  if (verification !== null) {
    const age = ageText(new Date(verification.at), now);
    texts.push(
      verification.ok
        ? `verified ${age} by ${verification.how} in ${durationText(verification.seconds)}`
        : `verification failed ${age}: ${verification.problems[0] ?? "no reason was recorded"}`,
    );
  }
  return [...texts, ...problems];
}

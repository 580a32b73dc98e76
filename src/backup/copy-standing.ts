import { buffer } from "node:stream/consumers";
import { isSummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { type BackupPlace, recordsPrefix } from "./keys.ts";
import { type BackupRecord, parseRecord } from "./records.ts";

interface Found {
  readonly key: string;
  readonly record: BackupRecord;
  readonly bytes: Buffer;
  readonly storedAt: Date;
}

/**
 * Lets a backup in `to` be kept or released as it is in `from`: the last record of that, byte for byte under its own
 * key, unless `to` has one that was written later. Results of verification do not travel: they tell of the store they
 * were made in. Resolves with the key of what was put, if anything was. Repeatable.
 */
export async function copyStanding(
  from: ObjectStore,
  to: ObjectStore,
  place: BackupPlace,
): Promise<string | undefined> {
  const last = await lastOf(from, place);
  if (last === undefined) return undefined;
  const there = await lastOf(to, place);
  if (there !== undefined && Date.parse(there.record.at) >= Date.parse(last.record.at)) return undefined;
  // Nothing there: it is not kept, and need not be released.
  if (there === undefined && last.record.kind === "released") return undefined;
  try {
    await to.put(last.key, last.bytes);
    return last.key;
  } catch (error) {
    // Somebody else has put it meanwhile: the same record, since the name is random.
    if (isSummitError(error) && error.kind === "check") return undefined;
    throw error;
  }
}

/** The record that says whether it is kept now, by the store's time and then the writer's. */
async function lastOf(store: ObjectStore, place: BackupPlace): Promise<Found | undefined> {
  const found: Found[] = [];
  for (const { key, storedAt } of await store.list(recordsPrefix(place))) {
    const bytes = await buffer(await store.get(key));
    const record = readable(bytes, key, place);
    if (record !== undefined && record.kind !== "verified") found.push({ key, record, bytes, storedAt });
  }
  const time = ({ storedAt, record }: Found): number[] => [storedAt.getTime(), Date.parse(record.at)];
  return found.sort((a, b) => compare(time(a), time(b))).at(-1);
}

const compare = ([a = 0, c = 0]: number[], [b = 0, d = 0]: number[]): number => a - b || c - d;

/** What cannot be read stays where it is: there it keeps retention from the backup. */
function readable(bytes: Buffer, key: string, place: BackupPlace): BackupRecord | undefined {
  try {
    return parseRecord(bytes.toString("utf8"), key, place);
  } catch {
    return undefined;
  }
}

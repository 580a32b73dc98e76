import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { exitCode, SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";
import type { View } from "../core/ports/output.ts";
import { findHolders, type Holder, storeProblem, type WantedEverywhere } from "./holders.ts";
import type { KeptRecord } from "./records.ts";
import { isKept, type Standing } from "./standing.ts";
import { type NewRecord, writeRecord } from "./write-record.ts";

export interface KeepRequest {
  readonly config: Pick<Config, "project" | "stores">;
  readonly backup: WantedEverywhere;
  /** Undefined: release it. */
  readonly keep: { readonly reason: string; readonly until: string | undefined } | undefined;
}

export interface KeptResult {
  readonly schema: "summitctl.backup-kept.v1";
  readonly backup: string;
  /** Null: it was released. */
  readonly kept: Pick<KeptRecord, "reason" | "until"> | null;
  readonly stores: readonly KeptIn[];
}

interface KeptIn {
  readonly url: string;
  readonly required: boolean;
  readonly outcome: "recorded" | "was so already" | "does not hold it" | "failed";
  readonly problem: string | null;
}

type KeepDeps = Pick<Deps, "stores" | "now" | "version" | "signal" | "out">;

/**
 * Keeps a backup from retention in every store that holds it, or releases it there. Where it is so already nothing is
 * written. One store that fails does not hinder the others.
 */
export async function keepBackup({ config, backup, keep }: KeepRequest, deps: KeepDeps): Promise<KeptResult> {
  const record: NewRecord =
    keep === undefined
      ? { kind: "released" }
      : { kind: "kept", reason: reasonOf(keep.reason), until: untilOf(keep.until, deps.now()) };
  const holders = await findHolders(config, backup, await deps.stores(), deps);
  const stores: KeptIn[] = [];
  for (const holder of holders) stores.push(await recordIn(holder, record, deps));
  for (const { url, problem } of stores) if (problem !== null) deps.out.warn(`not recorded in ${url}: ${problem}`);
  return {
    schema: "summitctl.backup-kept.v1",
    backup: backup.id,
    kept: record.kind === "kept" ? { reason: record.reason, until: record.until } : null,
    stores,
  };
}

/** 7 when it is not so in a store that is required. */
export const keptExit = ({ stores }: KeptResult): number =>
  exitCode(stores.some(({ required, outcome }) => required && outcome === "failed") ? "store" : "ok");

export const keptView = ({ backup, kept, stores }: KeptResult): View => [
  {
    text:
      kept === null
        ? `backup ${backup} is released: retention may remove it`
        : `backup ${backup} is kept${kept.until === null ? "" : ` until ${kept.until}`}: ${kept.reason}`,
  },
  { head: ["store", ""], rows: stores.map(({ url, outcome, problem }) => [url, problem ?? outcome]) },
];

async function recordIn(
  { store, required, backup, problem }: Holder,
  record: NewRecord,
  deps: KeepDeps,
): Promise<KeptIn> {
  const said = { url: store.url, required, problem: problem?.message ?? null };
  if (backup === undefined) return { ...said, outcome: problem === undefined ? "does not hold it" : "failed" };
  if (isSo(backup.standing, record, deps.now())) return { ...said, outcome: "was so already" };
  try {
    await writeRecord(store, backup.manifest, record, deps);
    return { ...said, outcome: "recorded" };
  } catch (error) {
    return { ...said, outcome: "failed", problem: storeProblem(error, deps) };
  }
}

function isSo(standing: Standing, record: NewRecord, now: Date): boolean {
  if (record.kind !== "kept") return !isKept(standing, now);
  return standing.kept?.reason === record.reason && standing.kept.until === record.until;
}

function reasonOf(reason: string): string {
  if (reason.trim() !== "" && reason.length <= 500) return reason.trim();
  throw new SummitError("usage", "a reason has 1 to 500 characters", {
    hint: '--reason "before the upgrade"',
  });
}

const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/;

/** A day means its end, in UTC. */
function untilOf(text: string | undefined, now: Date): string | null {
  if (text === undefined) return null;
  const whole = text.includes("T") ? text : `${text}T23:59:59Z`;
  const until = DATE.test(text) ? new Date(whole) : new Date(Number.NaN);
  // The 31st of February is not the 3rd of March.
  if (Number.isNaN(until.getTime()) || until.toISOString().slice(0, 10) !== text.slice(0, 10)) {
    throw new SummitError("usage", `expected a date such as 2027-01-31, in UTC, got ${show(text)}`, {
      hint: "--until 2027-01-31",
    });
  }
  if (until <= now) throw new SummitError("usage", `${text} has passed already`, { hint: "--until 2027-01-31" });
  return until.toISOString();
}

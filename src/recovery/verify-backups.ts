import { bytesText } from "../backup/backup-view.ts";
import { openFiles } from "../backup/encryption/open-files.ts";
import { findHolders, type Holder, storeProblem } from "../backup/holders.ts";
import { type Found, verifyBackup } from "../backup/verify-backup.ts";
import { writeRecord } from "../backup/write-record.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { exitCode, isSummitError, SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";
import type { View } from "../core/ports/output.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { durationText } from "../core/time.ts";
import { chooseBackup, type WantedBackup } from "./choose-backup.ts";

export interface VerifyRequest {
  readonly config: Pick<Config, "project" | "stores">;
  readonly backup: WantedBackup;
  /** URL of the one store to look into; undefined: all of them. */
  readonly store: string | undefined;
}

export interface VerifyResult {
  readonly schema: "summitctl.backup-verified.v1";
  readonly backup: string;
  readonly stores: readonly VerifiedIn[];
}

export interface VerifiedIn {
  readonly url: string;
  readonly required: boolean;
  readonly outcome: "ok" | "failed" | "not verified" | "does not hold it";
  /** Null: nothing was found out. */
  readonly found: Found | null;
  /** Whether the store has a record of it now. */
  readonly recorded: boolean;
  /** Why nothing was found out, or not recorded. */
  readonly problem: string | null;
}

type VerifyDeps = Pick<Deps, "stores" | "now" | "version" | "signal" | "out" | "memory" | "identities">;

/**
 * Verifies a backup by reading it, in each store that holds it, and records the result there. A failed one takes that
 * backup out of `latest`.
 */
export async function verifyBackups({ config, backup, store }: VerifyRequest, deps: VerifyDeps): Promise<VerifyResult> {
  const stores = storesNamed(await deps.stores(), store);
  const [first] = stores;
  const id = backup.id === "latest" ? (await chooseBackup(first, config.project, backup, deps)).manifest.id : backup.id;
  const holders = await findHolders(config, { id, environment: backup.environment }, stores, deps);
  await checkIdentity(holders, deps);
  const verified: VerifiedIn[] = [];
  for (const holder of holders) verified.push(await verifyIn(holder, deps));
  for (const { url, problem } of verified) if (problem !== null) deps.out.warn(`${url}: ${problem}`);
  return { schema: "summitctl.backup-verified.v1", backup: id, stores: verified };
}

/** 8 when it failed anywhere, 7 when a required store could not be verified or did not take the record. */
export function verifyExit({ stores }: VerifyResult): number {
  if (stores.some(({ outcome }) => outcome === "failed")) return exitCode("verification");
  return exitCode(stores.some(({ required, problem }) => required && problem !== null) ? "store" : "ok");
}

/** The configured stores, or the one of them with that URL. Throws kind `usage` when there is none. */
export function storesNamed(
  stores: readonly [ObjectStore, ...ObjectStore[]],
  url: string | undefined,
): readonly [ObjectStore, ...ObjectStore[]] {
  if (url === undefined) return stores;
  const found = stores.find((store) => store.url.replace(/\/$/, "") === url.replace(/\/$/, ""));
  if (found !== undefined) return [found];
  throw new SummitError("usage", `summit.yaml names no store ${show(url)}`, {
    details: stores.map((store) => `it names ${store.url}`),
    hint: `--store ${stores[0].url}`,
  });
}

/** Before anything is read: throws kind `config` when the backup is encrypted and no identity here opens it. */
async function checkIdentity(holders: readonly Holder[], { identities, signal }: VerifyDeps): Promise<void> {
  for (const { store, backup } of holders) {
    if (backup === undefined) continue;
    try {
      await openFiles({ manifest: backup.manifest, store }, identities);
    } catch (error) {
      signal.throwIfAborted();
      // What is wrong with one store or its files is that store's result.
      if (!isSummitError(error) || error.kind === "config") throw error;
    }
  }
}

async function verifyIn({ store, required, backup, problem }: Holder, deps: VerifyDeps): Promise<VerifiedIn> {
  const said = { url: store.url, required, found: null, recorded: false, problem: problem?.message ?? null };
  if (problem?.kind === "verification") return { ...said, outcome: "failed" };
  if (backup === undefined) return { ...said, outcome: problem === undefined ? "does not hold it" : "not verified" };
  let found: Found;
  try {
    found = await verifyBackup({ manifest: backup.manifest, store }, deps);
  } catch (error) {
    return { ...said, outcome: "not verified", problem: storeProblem(error, deps) };
  }
  const verified = { ...said, outcome: found.ok ? ("ok" as const) : ("failed" as const), found };
  try {
    await writeRecord(store, backup.manifest, { kind: "verified", how: "read", ...found }, deps);
    return { ...verified, recorded: true };
  } catch (error) {
    return { ...verified, problem: `the result could not be recorded: ${storeProblem(error, deps)}` };
  }
}

export const verifyView = ({ backup, stores }: VerifyResult): View => [
  { title: `backup ${backup}` },
  {
    head: ["store", "result", "read", "decoded", "took"],
    rows: stores.map(({ url, outcome, found, problem }) => [
      url,
      outcome === "failed" ? "VERIFICATION FAILED" : outcome,
      found?.ok ? bytesText(found.compared.storedBytes) : "-",
      found?.ok ? bytesText(found.compared.plainBytes) : "-",
      found === null ? (problem ?? "-") : durationText(found.seconds),
    ]),
  },
  ...stores.flatMap(({ url, found }) => (found?.problems ?? []).map((text) => ({ text: `${url}: ${text}` }))),
];

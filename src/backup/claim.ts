import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { processRuns, startTime } from "../core/process-life.ts";
import { type BackupPlace, claimKey, claimsPrefix, readClaimKey } from "./keys.ts";

/** Who writes a backup into a store, as long as it does; docs/formats.md. */
const CLAIM_SCHEMA = "summitctl.claim.v1";

const claim = z.object({
  schema: z.literal(CLAIM_SCHEMA),
  pid: z.number().int().positive(),
  /** Start time of the process, so that a reused number is not taken for it. Empty where the system does not tell. */
  started: z.string(),
  host: z.string(),
  /** Computers may share a name: a digest of what the system calls this one. Empty where it does not tell. */
  machine: z.string(),
  since: z.string(),
});

type Claim = z.infer<typeof claim>;

/** A backup that somebody writes, or wrote when he was killed. */
export interface Claimed {
  readonly key: string;
  readonly id: string;
  /**
   * False only for what a process of this computer began that no longer runs: age proves nothing. Undefined: it cannot
   * be told from here.
   */
  readonly alive: boolean | undefined;
  readonly by: Claim;
}

/**
 * Keeps others from writing a backup of that id into the store, and whoever looks for leftovers from taking its files
 * for such, until it is disposed of. What a killed process of this computer had claimed counts no more. Rejects with
 * kind `locked` and says who has it; of two at the very same moment both may be refused, and never both let in, unless
 * the store's list lags behind.
 */
export async function claimBackup(store: ObjectStore, place: BackupPlace): Promise<AsyncDisposable> {
  const key = claimKey(place, randomBytes(6).toString("hex"));
  // The next writer of this computer removes what stays. A failure of what was done says more.
  const release = (): Promise<void> => store.delete(key).catch(() => undefined);
  try {
    await store.put(key, Buffer.from(`${JSON.stringify(await ownClaim())}\n`));
    const others = (await listClaims(store, place)).filter((other) => other.id === place.id && other.key !== key);
    const holder = others.find(({ alive }) => alive !== false);
    if (holder !== undefined) throw taken(store, holder);
  } catch (error) {
    await release();
    throw error;
  }
  return { [Symbol.asyncDispose]: release };
}

/** What is claimed in an environment of the store. Throws what the store throws. */
export async function listClaims(
  store: ObjectStore,
  { project, environment }: Pick<BackupPlace, "project" | "environment">,
): Promise<Claimed[]> {
  const claims: Claimed[] = [];
  for (const { key } of await store.list(claimsPrefix(project, environment))) {
    const id = readClaimKey(key);
    if (id === undefined) continue;
    const by = await readClaim(store, key);
    if (by !== undefined) claims.push({ key, id, by, alive: await isAlive(by) });
  }
  return claims;
}

const ownClaim = async (): Promise<Claim> => ({
  schema: CLAIM_SCHEMA,
  pid: process.pid,
  started: (await startTime(process.pid)) ?? "",
  host: hostname(),
  machine: await machineDigest(),
  since: new Date().toISOString(),
});

const UNREADABLE: Claim = {
  schema: CLAIM_SCHEMA,
  pid: 1,
  started: "",
  host: "unknown",
  machine: "?",
  since: "unknown",
};

/** Undefined when it is gone. One that cannot be read is of another version of summitctl, which may be at work. */
async function readClaim(store: ObjectStore, key: string): Promise<Claim | undefined> {
  let text: string;
  try {
    text = (await buffer(await store.get(key))).toString("utf8");
  } catch (error) {
    if ((await store.head(key)) === undefined) return undefined;
    throw error;
  }
  try {
    return claim.parse(JSON.parse(text));
  } catch {
    return UNREADABLE;
  }
}

async function isAlive({ pid, started, host, machine }: Claim): Promise<boolean | undefined> {
  if (host !== hostname() || machine !== (await machineDigest())) return undefined;
  return (await processRuns(pid)) && (started === "" || (await startTime(pid)) === started);
}

async function machineDigest(): Promise<string> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  // The identifier itself is not for others to see: systemd's machine-id(5).
  return id.trim() === "" ? "" : createHash("sha256").update(`summitctl ${id.trim()}`).digest("hex").slice(0, 16);
}

const taken = (store: ObjectStore, { id, key, by }: Claimed): SummitError =>
  new SummitError("locked", `backup ${id} is being written to ${store.url} on ${by.host} since ${by.since}`, {
    details: [`by process ${by.pid} there; the object ${key} says so`],
    hint: `wait for it to end; if ${by.host} is gone for good, remove that object by hand`,
  });

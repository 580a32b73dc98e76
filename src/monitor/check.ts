import { effectiveEnvironment } from "../config/effective-environment.ts";
import type { CheckConfig, ScheduleConfig } from "../config/schedule-types.ts";
import type { Config } from "../config/types.ts";
import { longestGap } from "../core/cron/run-times.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { listBackups } from "../recovery/list-backups.ts";
import { type CheckFacts, type CheckResult, judgeStores, type Limits, type StoreFacts } from "./judge-stores.ts";
import { quietOutput } from "./quiet-output.ts";

export interface CheckRequest {
  config(): Promise<Config>;
  /** Undefined: of every environment, as far as they count. */
  readonly environment: string | undefined;
}

type CheckDeps = Pick<Deps, "stores" | "now" | "out" | "signal" | "memory">;

/**
 * Whether the stores hold what a restore would need tonight, for monitoring. Never throws but for an abort: what cannot
 * be found out is UNKNOWN.
 */
export async function runCheck({ config, environment }: CheckRequest, deps: CheckDeps): Promise<CheckResult> {
  try {
    const read = await config();
    // A name that was mistyped must not look like an environment without backups.
    if (environment !== undefined) effectiveEnvironment(read, environment);
    const limits = limitsOf(read, deps.now());
    return judgeStores({ limits, stores: await storeFacts(read, environment, deps) });
  } catch (error) {
    deps.signal.throwIfAborted();
    const details = isSummitError(error) ? error.details : [];
    const findings = [{ state: "UNKNOWN" as const, message: [messageOf(error), ...details].join("; ") }];
    return { schema: "summitctl.check.v1", state: "UNKNOWN", findings, newest: null, limits: null, perfdata: [] };
  }
}

async function storeFacts(
  config: Config,
  environment: string | undefined,
  deps: CheckDeps,
): Promise<CheckFacts["stores"]> {
  // What a store does not tell is a finding here, not talk beside the one line.
  const { stores } = await listBackups({ config, environment }, { ...deps, out: quietOutput(deps.out) });
  const opened = await deps.stores();
  return await Promise.all(
    stores.map(async ({ url, required, problem, backups, broken }, index): Promise<StoreFacts> => {
      const clock = problem === null ? await timeOf(opened[index], deps) : { problem };
      return {
        url,
        required,
        ...clock,
        broken: broken.map(({ id }) => id),
        backups: backups.map(({ manifest, storedAt, standing, notCounting }) => ({
          id: manifest.id,
          dataFrom: new Date(manifest.dataFrom),
          storedAt,
          bytes: manifest.storedBytes,
          counts: notCounting === null,
          verified: standing.verification,
        })),
      };
    }),
  );
}

async function timeOf(
  store: ObjectStore | undefined,
  { signal }: CheckDeps,
): Promise<{ now: Date } | { problem: string }> {
  try {
    return store === undefined ? { problem: "it is not there" } : { now: await store.now() };
  } catch (error) {
    signal.throwIfAborted();
    if (!isSummitError(error)) throw error;
    return { problem: messageOf(error) };
  }
}

/** Seconds: a quarter hour for the backup itself, and a quarter of the wait for a slow one. Then two that are missing. */
const GRACE = 900;
const DAY = 86_400;

function limitsOf({ schedule, check }: { schedule: ScheduleConfig; check: CheckConfig }, now: Date): Limits {
  const period =
    schedule.backup === undefined
      ? DAY
      : longestGap({ times: schedule.backup, zone: schedule.timezone }, now) + schedule.jitter;
  const warnAge = check.warnAge ?? Math.min(period * 1.25 + GRACE, check.critAge ?? Number.POSITIVE_INFINITY);
  return {
    warnAge,
    critAge: check.critAge ?? Math.max(period * 2 + GRACE, warnAge * 1.5),
    sizeDrop: check.sizeDrop,
    verifyAge: check.verifyAge,
  };
}

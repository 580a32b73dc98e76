import { buffer } from "node:stream/consumers";
import { isSummitError, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";

export const STATE_SCHEMA = "summitctl.environment.v1";

const ATTEMPTS = 10;

/** What must be known of an environment to reach it. Append-only revisions in the store; rebuilt from the provider's labels when lost. */
export interface EnvironmentState {
  readonly schema: typeof STATE_SCHEMA;
  readonly project: string;
  readonly environment: string;
  /** The summitctl that wrote this revision. */
  readonly summitctl: string;
  readonly machines: Readonly<Record<string, MachineState>>;
  /** A failover that chose this environment and has not ended. */
  readonly failover?: FailoverMark;
}

export interface MachineState {
  /** The provider's id when it was last seen. */
  readonly id?: string | undefined;
  /** Host keys it may prove, `ssh-ed25519 AAAA…`. */
  readonly hostKeys: readonly string[];
  /** The one of them that came by user-data and is still to be replaced. */
  readonly bootKey?: string;
}

export interface FailoverMark {
  readonly from: string;
  readonly backup: string;
  readonly backupEnvironment: string;
  readonly startedAt: string;
}

export interface StateStore {
  read(environment: string): Promise<EnvironmentState>;
  /** Applies a change to the newest revision. Changes of one process are applied one after the other. */
  update(environment: string, change: (state: EnvironmentState) => EnvironmentState): Promise<EnvironmentState>;
  /** Forgets an environment that was destroyed. */
  remove(environment: string): Promise<void>;
}

/** State in a store, under a prefix that no environment can be called. */
export function stateStore(store: ObjectStore, project: string, version: string): StateStore {
  let queue: Promise<unknown> = Promise.resolve();
  const prefixOf = (environment: string) => `${project}/_state/environments/${environment}/`;

  async function newest(environment: string): Promise<{ revision: number; state: EnvironmentState }> {
    const objects = await store.list(prefixOf(environment));
    const revisions = objects
      .map(({ key }) => Number(key.slice(prefixOf(environment).length).replace(/\.json$/, "")))
      .filter(Number.isInteger);
    const revision = Math.max(0, ...revisions);
    if (revision === 0) return { revision, state: emptyState(project, environment, version) };
    const key = keyOf(environment, revision);
    const text = (await buffer(await store.get(key))).toString("utf8");
    return { revision, state: parseState(text, key) };
  }

  const keyOf = (environment: string, revision: number) =>
    `${prefixOf(environment)}${String(revision).padStart(8, "0")}.json`;

  async function append(
    environment: string,
    change: (state: EnvironmentState) => EnvironmentState,
  ): Promise<EnvironmentState> {
    for (let attempt = 1; ; attempt += 1) {
      const { revision, state } = await newest(environment);
      const next = { ...change(state), summitctl: version };
      try {
        await store.put(keyOf(environment, revision + 1), Buffer.from(`${JSON.stringify(next, null, 2)}\n`));
        return next;
      } catch (error) {
        // Another process has written that revision meanwhile: the change is applied to what it wrote.
        if (attempt === ATTEMPTS || !isSummitError(error) || error.kind !== "check") throw error;
      }
    }
  }

  return {
    read: async (environment) => (await newest(environment)).state,
    update(environment, change) {
      const done = queue.then(() => append(environment, change));
      queue = done.catch(() => undefined);
      return done;
    },
    async remove(environment) {
      for (const { key } of await store.list(prefixOf(environment))) await store.delete(key);
    },
  };
}

const emptyState = (project: string, environment: string, version: string): EnvironmentState => ({
  schema: STATE_SCHEMA,
  project,
  environment,
  summitctl: version,
  machines: {},
});

function parseState(text: string, key: string): EnvironmentState {
  const hint = "remove it; the state is then rebuilt from the machines: summitctl status";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SummitError("store", `${key} is not JSON: it was cut or altered`, { cause: error, hint });
  }
  const state = value as EnvironmentState | null;
  if (state?.schema !== STATE_SCHEMA) {
    throw new SummitError(
      "check",
      `${key} has the schema ${JSON.stringify(state?.schema)}, this summitctl reads "${STATE_SCHEMA}"`,
      { hint: "use the summitctl that wrote it, or one that is newer" },
    );
  }
  if (typeof state.machines === "object" && state.machines !== null) return state;
  throw new SummitError("store", `${key} names no machines: it was altered`, { hint });
}

export const withMachine = (state: EnvironmentState, name: string, machine: MachineState): EnvironmentState => ({
  ...state,
  machines: { ...state.machines, [name]: machine },
});

import { buffer } from "node:stream/consumers";
import { isSummitError, SummitError } from "../core/errors.ts";
import type { ObjectStore } from "../core/ports/store.ts";

export const GENERATION_SCHEMA = "summitctl.generation.v1";

/** Written once, when traffic is committed to an environment. The newest one says which environment is live. */
export interface Generation {
  readonly schema: typeof GENERATION_SCHEMA;
  readonly number: number;
  readonly environment: string;
  /** The environment that was live before; undefined for the first. */
  readonly predecessor?: string;
  readonly reason: string;
  readonly committedAt: string;
}

const prefixOf = (project: string): string => `${project}/_state/generations/`;

/** Every generation, oldest first. */
export async function listGenerations(store: ObjectStore, project: string): Promise<readonly Generation[]> {
  const objects = await store.list(prefixOf(project));
  const generations = await Promise.all(objects.map(({ key }) => readGeneration(store, key)));
  return generations.sort((a, b) => a.number - b.number);
}

/** The newest generation, or undefined before the first bootstrap. */
export const liveGeneration = async (store: ObjectStore, project: string): Promise<Generation | undefined> =>
  (await listGenerations(store, project)).at(-1);

async function readGeneration(store: ObjectStore, key: string): Promise<Generation> {
  const text = (await buffer(await store.get(key))).toString("utf8");
  let generation: Generation;
  try {
    generation = JSON.parse(text) as Generation;
  } catch (error) {
    throw new SummitError("store", `${key} is not JSON: it was cut or altered`, {
      cause: error,
      hint: "put it back from another copy of the store: it says which environment is live",
    });
  }
  if (generation?.schema === GENERATION_SCHEMA) return generation;
  throw new SummitError(
    "check",
    `${key} has the schema ${JSON.stringify(generation?.schema)}, this summitctl reads "${GENERATION_SCHEMA}"`,
    { hint: "use the summitctl that wrote it, or one that is newer" },
  );
}

/**
 * Commits traffic to an environment: the generation after `previous`. Rejects with kind `locked` when somebody else
 * has committed meanwhile.
 */
export async function commitGeneration(
  store: ObjectStore,
  project: string,
  generation: Omit<Generation, "schema" | "number">,
  previous: Generation | undefined,
): Promise<Generation> {
  const next: Generation = { schema: GENERATION_SCHEMA, number: (previous?.number ?? 0) + 1, ...generation };
  try {
    await store.put(`${prefixOf(project)}${next.number}.json`, Buffer.from(`${JSON.stringify(next, null, 2)}\n`));
    return next;
  } catch (error) {
    if (!isSummitError(error) || error.kind !== "check") throw error;
    throw new SummitError("locked", `generation ${next.number} was committed by somebody else meanwhile`, {
      cause: error,
      hint: "summitctl status",
    });
  }
}

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

/** The newest generation, or undefined before the first bootstrap. */
export async function liveGeneration(store: ObjectStore, project: string): Promise<Generation | undefined> {
  const objects = await store.list(prefixOf(project));
  const numbers = objects.map(({ key }) => Number(key.slice(prefixOf(project).length).replace(/\.json$/, ""))).filter((number) => Number.isInteger(number) && number > 0);
  if (numbers.length === 0) return undefined;
  const key = `${prefixOf(project)}${Math.max(...numbers)}.json`;
  const generation = JSON.parse((await buffer(await store.get(key))).toString("utf8")) as Generation;
  if (generation.schema === GENERATION_SCHEMA) return generation;
  throw new SummitError("check", `${key} has the schema ${JSON.stringify(generation.schema)}, this summitctl reads "${GENERATION_SCHEMA}"`, { hint: "use the summitctl that wrote it, or one that is newer" });
}

/**
 * Commits traffic to an environment: the generation after `previous`. Rejects with kind `locked` when somebody else
 * has committed meanwhile.
 */
export async function commitGeneration(store: ObjectStore, project: string, generation: Omit<Generation, "schema" | "number">, previous: Generation | undefined): Promise<Generation> {
  const next: Generation = { schema: GENERATION_SCHEMA, number: (previous?.number ?? 0) + 1, ...generation };
  try {
    await store.put(`${prefixOf(project)}${next.number}.json`, Buffer.from(`${JSON.stringify(next, null, 2)}\n`));
    return next;
  } catch (error) {
    if (!isSummitError(error) || error.kind !== "check") throw error;
    throw new SummitError("locked", `generation ${next.number} was committed by somebody else meanwhile`, { cause: error, hint: "summitctl status" });
  }
}

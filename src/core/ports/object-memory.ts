import type { ObjectInfo } from "./store.ts";

/**
 * What this computer remembers of objects it has read, so that it need not read them again: objects never change. It
 * may forget anything at any moment and is no source of truth; neither call ever fails.
 */
export interface ObjectMemory {
  /** Values by key of that scope. What belongs to an object of another size or time is not to be believed. */
  recall(scope: string): Promise<ReadonlyMap<string, Remembered>>;
  /** Replaces what is remembered of the scope. Of two at once one wins. */
  keep(scope: string, values: ReadonlyMap<string, Remembered>): Promise<void>;
}

export interface Remembered {
  readonly size: number;
  /** Milliseconds since 1970, by the store's clock. */
  readonly storedAt: number;
  /** JSON. */
  readonly value: unknown;
}

export const rememberedOf = ({ size, storedAt }: ObjectInfo, value: unknown): Remembered => ({
  size,
  storedAt: storedAt.getTime(),
  value,
});

/** The value that is remembered of this very object. */
export function recalled(memory: ReadonlyMap<string, Remembered>, { key, size, storedAt }: ObjectInfo): unknown {
  const found = memory.get(key);
  return found?.size === size && found.storedAt === storedAt.getTime() ? found.value : undefined;
}

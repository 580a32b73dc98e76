import { readCatalog } from "../backup/catalog.ts";
import type { Deps } from "../core/deps.ts";

export interface LastBackup {
  readonly id: string;
  /** When its data was current, put right by as much as this computer's clock differs from the store's. */
  readonly at: Date;
}

/** The newest backup of an environment in the first store, as what tells when a backup last ran: no file here can lie. */
export async function lastBackup(
  { project, environment }: { readonly project: string; readonly environment: string },
  deps: Pick<Deps, "stores" | "now" | "memory">,
): Promise<LastBackup | undefined> {
  const [store] = await deps.stores();
  const skew = deps.now().getTime() - (await store.now()).getTime();
  const { backups } = await readCatalog(store, project, environment, deps);
  const at = ({ manifest }: { manifest: { dataFrom: string } }): number => Date.parse(manifest.dataFrom) + skew;
  // What claims to come from the future was taken under a clock that was wrong; it says nothing about now.
  const limit = deps.now().getTime() + FUTURE;
  const newest = backups.filter((backup) => at(backup) <= limit).sort((a, b) => at(b) - at(a))[0];
  return newest === undefined ? undefined : { id: newest.manifest.id, at: new Date(at(newest)) };
}

/** Milliseconds that clocks of computers may differ. */
const FUTURE = 60_000;

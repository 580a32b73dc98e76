import type { ManifestResult } from "../backup/backup-view.ts";
import { type GetResult, getBackup } from "../backup/get-backup.ts";
import type { Deps } from "../core/deps.ts";
import { chooseCopy, type WantedBackup } from "./choose-backup.ts";

export interface LookRequest {
  readonly project: string;
  readonly backup: WantedBackup;
}

/** What the manifest says. Reads nothing else of the backup. */
export async function showBackup(
  { project, backup }: LookRequest,
  deps: Pick<Deps, "stores" | "now" | "memory">,
): Promise<ManifestResult> {
  const { manifest, storedAt, store } = await chooseCopy(await deps.stores(), project, backup, deps);
  return {
    schema: "summitctl.backup-shown.v1",
    manifest,
    store: store.url,
    storedAt: storedAt.toISOString(),
    now: deps.now().toISOString(),
  };
}

/** Its files into a new folder in `folder`, each part checked. */
export async function fetchBackup(
  { project, backup }: LookRequest,
  folder: string,
  deps: Pick<Deps, "stores" | "out" | "signal" | "memory">,
): Promise<GetResult> {
  const { manifest, store } = await chooseCopy(await deps.stores(), project, backup, deps);
  return await getBackup({ manifest, store }, folder, deps);
}

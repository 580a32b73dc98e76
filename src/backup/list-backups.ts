import type { Deps } from "../core/deps.ts";
import type { BackupsResult, ManifestResult } from "./backup-view.ts";
import { findBackup, readCatalog } from "./catalog.ts";
import { type GetResult, getBackup } from "./get-backup.ts";

export interface BackupsRequest {
  readonly project: string;
  /** Undefined: of every environment. */
  readonly environment: string | undefined;
}

export async function listBackups(
  { project, environment }: BackupsRequest,
  deps: Pick<Deps, "stores" | "now">,
): Promise<BackupsResult> {
  const stores = await Promise.all(
    (await deps.stores()).map(async (store) => ({
      url: store.url,
      ...(await readCatalog(store, project, environment)),
    })),
  );
  return { schema: "summitctl.backups.v1", project, stores, now: deps.now().toISOString() };
}

export async function showBackup(
  { project, environment }: BackupsRequest,
  id: string,
  deps: Pick<Deps, "stores" | "now">,
): Promise<ManifestResult> {
  const [store] = await deps.stores();
  const { manifest, storedAt } = await findBackup(store, project, { id, environment });
  return {
    schema: "summitctl.backup-shown.v1",
    manifest,
    store: store.url,
    storedAt: storedAt.toISOString(),
    now: deps.now().toISOString(),
  };
}

export async function fetchBackup(
  request: BackupsRequest,
  id: string,
  folder: string,
  deps: Pick<Deps, "stores" | "out" | "signal">,
): Promise<GetResult> {
  const [store] = await deps.stores();
  const { manifest } = await findBackup(store, request.project, { id, environment: request.environment });
  return await getBackup({ manifest, store }, folder, deps);
}

import { openFiles } from "../backup/encryption/open-files.ts";
import { databaseMembers, dataTime } from "../backup/manifest.ts";
import { runRestore } from "../backup/run-restore.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { checkDatabaseName } from "../core/names.ts";
import type { View } from "../core/ports/output.ts";
import { ageText, durationText } from "../core/time.ts";
import { openDatabaseHost } from "../environment/database-host.ts";
import type { Project } from "../environment/project.ts";
import { chooseCopy } from "./choose-backup.ts";

export interface RestoreBackupRequest {
  readonly project: Project;
  /** An id or `latest`. */
  readonly backup: string;
  readonly to: string;
  /** Undefined: the only one in the backup. */
  readonly database: string | undefined;
  /** Undefined: the name that it had. */
  readonly as: string | undefined;
  readonly replace: boolean;
}

export interface RestoredResult {
  readonly schema: "summitctl.restored.v1";
  readonly backup: string;
  readonly environment: string;
  readonly database: string;
  readonly rows: number;
  readonly kept: string | null;
  readonly dataFrom: string;
  readonly now: string;
  readonly seconds: number;
}

export type RestoreBackupDeps = Pick<
  Deps,
  | "out"
  | "prompt"
  | "now"
  | "signal"
  | "version"
  | "machines"
  | "stores"
  | "connector"
  | "lock"
  | "memory"
  | "identities"
>;

/** Restores one database of a backup beside what is there, checks it and gives it its name. */
export async function restoreBackup(request: RestoreBackupRequest, deps: RestoreBackupDeps): Promise<RestoredResult> {
  const { project, to } = request;
  const began = deps.now();
  for (const name of [request.database, request.as]) {
    const problem = name === undefined ? undefined : checkDatabaseName(name);
    if (problem !== undefined) throw new SummitError("usage", problem);
  }
  const stores = await deps.stores();
  const wanted = { id: request.backup, environment: undefined };
  const { manifest, store } = await chooseCopy(stores, project.config.project, wanted, deps);
  if (store !== stores[0]) deps.out.note(`backup ${manifest.id} comes from ${store.url}`);
  const database =
    request.database ??
    onlyDatabase(
      databaseMembers(manifest).map((member) => member.database),
      manifest.id,
    );
  const as = request.as ?? database;
  const keys = await openFiles({ manifest, store }, deps.identities);
  if (
    request.replace &&
    !(await deps.prompt.confirm(
      `replace database "${as}" of "${to}" by backup ${manifest.id}, data from ${ageText(dataTime(manifest), deps.now())}?`,
    ))
  ) {
    throw new SummitError("check", "not agreed to, nothing was changed", { hint: "run it again with --yes" });
  }
  await using _lock = await deps.lock(to, "restore");
  await using host = await openDatabaseHost(project, to, deps);
  const result = await runRestore(host, { manifest, store, keys, database, as, replace: request.replace }, deps);
  return {
    schema: "summitctl.restored.v1",
    backup: manifest.id,
    environment: to,
    database: as,
    rows: result.totalRows,
    kept: result.kept ?? null,
    dataFrom: dataTime(manifest).toISOString(),
    now: deps.now().toISOString(),
    seconds: (deps.now().getTime() - began.getTime()) / 1000,
  };
}

function onlyDatabase(databases: readonly string[], id: string): string {
  const [only, ...more] = databases;
  if (only !== undefined && more.length === 0) return only;
  throw new SummitError(
    "usage",
    `the backup ${id} has ${databases.length} databases, one must be named: ${databases.join(", ")}`,
    { hint: `--database ${only ?? "NAME"}` },
  );
}

export const restoredView = ({
  backup,
  environment,
  database,
  rows,
  kept,
  dataFrom,
  now,
  seconds,
}: RestoredResult): View => [
  {
    text: `database "${database}" of "${environment}" is backup ${backup}: ${rows} rows, data from ${ageText(new Date(dataFrom), new Date(now))}, restored in ${durationText(seconds)}`,
  },
  ...(kept === null ? [] : [{ text: `what it was before is kept as database "${kept}"` }]),
];

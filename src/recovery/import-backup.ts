import { basename } from "node:path";
import { bytesText } from "../backup/backup-view.ts";
import { importDump } from "../backup/import-dump.ts";
import { databaseMembers, dataTime, type Manifest, storedBytes } from "../backup/manifest.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { checkDatabaseName, show } from "../core/names.ts";
import type { View } from "../core/ports/output.ts";
import { chooseEnvironment } from "../environment/choose-environment.ts";
import type { Project } from "../environment/project.ts";
import { copyFurther } from "./copy-further.ts";

export interface ImportBackupRequest {
  readonly project: Project;
  readonly file: string;
  readonly database: string;
  /** `2012-08-28T09:00:00Z` or a day; undefined: when the file was last written. */
  readonly takenAt: string | undefined;
  /** Undefined: the live one. */
  readonly environment: string | undefined;
}

export interface ImportedResult {
  readonly schema: "summitctl.backup-imported.v1";
  readonly manifest: Manifest;
  readonly store: string;
}

type ImportDeps = Pick<Deps, "stores" | "out" | "now" | "signal" | "version">;

/** A dump that was made by hand becomes a backup in the first store, copied to the others. It is used by its id. */
export async function importBackup(request: ImportBackupRequest, deps: ImportDeps): Promise<ImportedResult> {
  const { project, file, database } = request;
  const wrong = checkDatabaseName(database);
  if (wrong !== undefined) throw new SummitError("usage", wrong, { hint: "--database summit" });
  const takenAt = takenAtOf(request.takenAt, deps.now());
  const environment = await chooseEnvironment(project, request.environment, deps);
  const [store, ...more] = await deps.stores();
  const manifest = await importDump(
    { project: project.config.project, environment, path: file, name: basename(file), database, takenAt },
    store,
    deps,
  );
  for (const other of more) await copyFurther(other, { manifest, store }, project.config, deps);
  return { schema: "summitctl.backup-imported.v1", manifest, store: store.url };
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/;

/** A day is its beginning, in UTC. */
function takenAtOf(text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const time = TIME.test(text) ? new Date(text) : new Date(Number.NaN);
  // The 31st of February is not the 3rd of March.
  if (Number.isNaN(time.getTime()) || time.toISOString().slice(0, 10) !== text.slice(0, 10)) {
    throw new SummitError("usage", `expected a time such as 2012-08-28T09:00:00Z, in UTC, got ${show(text)}`, {
      hint: "--taken-at 2012-08-28T09:00:00Z",
    });
  }
  if (time > now) throw new SummitError("usage", `${text} has not come yet`, { hint: "--taken-at 2012-08-28" });
  return time;
}

export function importedView({ manifest, store }: ImportedResult): View {
  const [member] = databaseMembers(manifest);
  const taken = dataTime(manifest).toISOString();
  return [
    {
      text: `backup ${manifest.id} of "${manifest.environment}": ${bytesText(storedBytes(manifest))}, imported from ${show(manifest.imported?.file ?? "")}`,
    },
    {
      pairs: [
        ["database", `${member?.database ?? ""}, ${bytesText(member?.plain.bytes ?? 0)} of ${member?.content ?? ""}`],
        ["data from", manifest.imported?.takenAt === "given" ? taken : `${taken}, when the file was last written`],
        ["server", `PostgreSQL ${manifest.server.version}`],
        ["store", store],
      ],
    },
    { text: "it is kept from retention, and is never latest: restore it by its id; its rows were not counted" },
  ];
}

import { totalRows } from "./database-facts.ts";
import { databaseMembers, dataTime, type Manifest, storedBytes } from "./manifest.ts";

/** What lists, `latest` and retention need of a manifest. */
export interface ManifestHead extends Pick<Manifest, "id" | "project" | "environment" | "generation"> {
  /** When the data was current, ISO 8601. */
  readonly dataFrom: string;
  readonly storedBytes: number;
  readonly databases: readonly string[];
  readonly rows: number;
  /** Absent: it was taken by summitctl. */
  readonly imported?: true;
}

export const headOf = (manifest: Manifest): ManifestHead => ({
  id: manifest.id,
  project: manifest.project,
  environment: manifest.environment,
  generation: manifest.generation,
  dataFrom: dataTime(manifest).toISOString(),
  storedBytes: storedBytes(manifest),
  databases: databaseMembers(manifest).map(({ database }) => database),
  rows: databaseMembers(manifest).reduce((sum, { rows }) => sum + totalRows(rows), 0),
  ...(manifest.imported === undefined ? {} : { imported: true }),
});

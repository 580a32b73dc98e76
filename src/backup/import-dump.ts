import type { Deps } from "../core/deps.ts";
import { show } from "../core/names.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { utcStamp } from "../core/time.ts";
import { claimBackup } from "./claim.ts";
import { DEFAULT_FORM, extensionOf } from "./dump-form.ts";
import { memberFile } from "./dump-line.ts";
import { openImportFile } from "./import-file.ts";
import { packingOf } from "./import-form.ts";
import { compressionOf, importStream, peekContent } from "./import-stream.ts";
import { type BackupPlace, backupPrefix, manifestKey, newBackupId } from "./keys.ts";
import { type DatabaseMember, MANIFEST_SCHEMA, type Manifest } from "./manifest.ts";
import { checkSizes } from "./read-member.ts";
import { removeBackup } from "./remove-backup.ts";
import { writeRecord } from "./write-record.ts";

export interface ImportRequest {
  readonly project: string;
  readonly environment: string;
  /** Path of the file, and its name without folders. */
  readonly path: string;
  readonly name: string;
  readonly database: string;
  /** Undefined: when the file was last written. */
  readonly takenAt: Date | undefined;
}

type ImportDeps = Pick<Deps, "out" | "now" | "signal" | "version">;

/**
 * Makes a backup of a dump that was made by hand, and keeps it from retention. The file is read once; unless all of it
 * proves to be a whole dump, nothing is left in the store. Rejects with kind `check` for what is no dump of one
 * database, with kind `verification` for one that is cut or damaged.
 */
export async function importDump(request: ImportRequest, store: ObjectStore, deps: ImportDeps): Promise<Manifest> {
  await using file = await openImportFile(request.path);
  const packing = packingOf(await file.head(512));
  const content = await peekContent(file, packing);
  const startedAt = deps.now();
  const takenAt = request.takenAt ?? file.writtenAt;
  const { project, environment, database, name } = request;
  const place: BackupPlace = { project, environment, id: newBackupId(startedAt) };
  const compression = compressionOf(packing);
  const memberName = memberFile(database, utcStamp(startedAt), extensionOf(content, { ...DEFAULT_FORM, compression }));
  const task = deps.out.task(`import ${show(name)}`);
  await using _claim = await claimBackup(store, place);
  try {
    const onBytes = (bytes: number): void => task.progress({ bytes, total: file.size });
    const { body, result } = importStream(file, { packing, content }, onBytes);
    await store.put(`${prefixOf(place)}${memberName}`, body, deps.signal);
    const { origin, plain, stored } = result();
    const manifest: Manifest = {
      schema: MANIFEST_SCHEMA,
      ...place,
      generation: 0,
      summitctl: deps.version,
      startedAt: startedAt.toISOString(),
      finishedAt: deps.now().toISOString(),
      server: { ...serverOf(origin.serverVersion), systemIdentifier: "", now: takenAt.toISOString() },
      clientVersion: origin.clientVersion ?? "unknown",
      imported: {
        file: name,
        packing,
        bytes: file.size,
        sha256: file.sha256(),
        takenAt: request.takenAt === undefined ? "file" : "given",
      },
      members: [
        {
          kind: "database",
          database,
          file: memberName,
          content,
          compression,
          plain,
          stored: { ...stored, parts: [...stored.parts] },
          snapshotAt: takenAt.toISOString(),
          facts: factsOf(origin.encoding ?? "UTF8", plain.bytes),
          rows: [],
        },
      ],
    };
    await checkSizes(store, manifest);
    // Before the manifest: no retention sees it without.
    await writeRecord(store, place, { kind: "kept", reason: `imported from ${show(name)}`, until: null }, deps);
    deps.signal.throwIfAborted();
    await store.put(manifestKey(place), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), deps.signal);
    task.done();
    return manifest;
  } catch (error) {
    task.fail();
    // What stays is no backup, and the next backup removes it.
    await removeBackup(store, place).catch(() => undefined);
    deps.signal.throwIfAborted();
    throw error;
  }
}

const prefixOf = ({ project, environment, id }: BackupPlace): string => backupPrefix(project, environment, id);

/** `9.1.24` is 90124, `15.20` is 150020, as the server itself says it; 0 where the dump does not tell. */
function serverOf(version: string | undefined): Pick<Manifest["server"], "version" | "versionNumber"> {
  const [major = 0, minor = 0, patch = 0] = (/^\d+(\.\d+)*/.exec(version ?? "")?.[0] ?? "").split(".").map(Number);
  const versionNumber = major >= 10 ? major * 10_000 + minor : major * 10_000 + minor * 100 + patch;
  return { version: version ?? "unknown", versionNumber };
}

/** What is not known of the database is as a new one has it, on the server that it is restored to. */
const factsOf = (encoding: string, sizeBytes: number): DatabaseMember["facts"] => ({
  owner: "postgres",
  encoding,
  // Of other encodings only this one is sure to be there.
  collate: encoding === "UTF8" ? "" : "C",
  ctype: encoding === "UTF8" ? "" : "C",
  localeProvider: "c",
  icuLocale: null,
  connectionLimit: -1,
  comment: null,
  grants: null,
  settings: [],
  extensions: [],
  sizeBytes,
});

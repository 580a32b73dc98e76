import type { Backup } from "../../src/backup/catalog.ts";
import { backupPrefix, MANIFEST_FILE } from "../../src/backup/keys.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { NO_STANDING } from "../../src/backup/standing.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { problemText } from "../../src/config/problems.ts";
import type { Machine, MachineSpec } from "../../src/core/ports/machines.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { GENERATION_SCHEMA, type Generation } from "../../src/environment/generations.ts";
import { loadProject, type Project, stackOf } from "../../src/environment/project.ts";
import type { FailoverFacts } from "../../src/recovery/failover-facts.ts";
import { PACKS } from "../stack/stack-fixture.ts";
import { sampleDatabase, sampleManifest } from "../support/sample-manifest.ts";

/** A minute of the day that everything here happens on. */
export const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 14, minute));

/** A backup that holds database `summit` of `production`, stored at `minute`, its data two minutes older. */
export function backupAt(minute: number, changes: Partial<Manifest> = {}): Backup {
  const startedAt = at(minute - 2).toISOString();
  const member = sampleDatabase({
    file: "summit.dump.bz2",
    stored: { bytes: 3, sha256: "a".repeat(64), partSize: 16, parts: ["b".repeat(64)] },
    snapshotAt: startedAt,
    rows: [
      ["public", "room", 40],
      ["public", "slot", 2],
    ],
  });
  const manifest = sampleManifest({
    id: `20261122T14${String(minute).padStart(2, "0")}00Z-aaaaaa`,
    project: "conference",
    startedAt,
    finishedAt: at(minute).toISOString(),
    members: [member],
    ...changes,
  });
  return { manifest, storedAt: at(minute), standing: NO_STANDING };
}

/** Puts a backup into a store, its files too. Returns its id. */
export async function keepBackup(store: ObjectStore, { manifest }: Backup): Promise<string> {
  const prefix = backupPrefix(manifest.project, manifest.environment, manifest.id);
  for (const { file, stored } of manifest.members) await store.put(`${prefix}${file}`, Buffer.alloc(stored.bytes, "a"));
  await store.put(`${prefix}${MANIFEST_FILE}`, Buffer.from(JSON.stringify(manifest)));
  return manifest.id;
}

export const keepGeneration = (store: ObjectStore, value: Generation): Promise<unknown> =>
  store.put(`conference/_state/generations/${value.number}.json`, Buffer.from(JSON.stringify(value)));

export const generation = (number: number, environment: string, minute: number): Generation => ({
  schema: GENERATION_SCHEMA,
  number,
  environment,
  reason: "test",
  committedAt: at(minute).toISOString(),
});

/** The example stack as a project of its own; `more` lines replace `failover_to: [spare]`. */
export async function projectWith(more = "failover_to: [spare]"): Promise<Project> {
  const text = `schema: summitctl.config.v1
project: conference
stores: ["file:///var/backups/conference"]
secrets: { app_key: { env: APP_KEY } }
services:
  haproxy: { relations: { backend: summit } }
  summit:
    pack: django
    options: { app: { path: ./app } }
    relations: { database: postgresql, cache: memcached }
  memcached: {}
  postgresql: {}
environments: { production: { provider: local }, spare: { provider: local }, attic: { provider: local } }
${more}
`;
  const place = { file: "/p/summit.yaml", folder: "/p", home: "/home/ann", version: "0.1.0" };
  const parsed = parseConfig(text, place);
  if ("problems" in parsed) throw new Error(parsed.problems.map(problemText).join("\n"));
  return await loadProject(parsed.config, PACKS);
}

export const specOf = (environment: string, unit: string): MachineSpec => ({
  project: "conference",
  environment,
  name: unit.replace("/", "-"),
  units: [unit],
  generation: 1,
  image: "image",
  userData: "",
});

export const machine = (environment: string, unit: string, changes: Partial<Machine> = {}): Machine => ({
  ...specOf(environment, unit),
  id: `${environment} ${unit}`,
  state: "running",
  booted: true,
  endpoint: { host: "10.9.9.1", port: 22 },
  privateAddress: "10.9.9.1",
  createdAt: at(0),
  ...changes,
});

/** Production is down, spare is fresh, the newest backup is five minutes old. */
export async function factsWith(changes: Partial<FailoverFacts> = {}): Promise<FailoverFacts> {
  const project = await projectWith();
  const newest = backupAt(10);
  return {
    project: "conference",
    live: generation(1, "production", 0),
    from: "production",
    oldMachines: [machine("production", "haproxy/0", { state: "stopped", privateAddress: undefined })],
    breath: "down",
    to: "spare",
    stack: await stackOf(project, "spare"),
    newMachines: [],
    mark: undefined,
    backup: newest,
    newest,
    older: undefined,
    newerBroken: [],
    damage: undefined,
    databases: ["summit"],
    inputProblem: undefined,
    now: at(15),
    ...changes,
  };
}

export const MARK = {
  from: "production",
  backup: backupAt(10).manifest.id,
  backupEnvironment: "production",
  startedAt: at(14).toISOString(),
};

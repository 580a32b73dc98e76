import type { Backup } from "../../src/backup/catalog.ts";
import { type DatabaseMember, MANIFEST_SCHEMA, type Manifest } from "../../src/backup/manifest.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { problemText } from "../../src/config/problems.ts";
import type { Machine, MachineSpec } from "../../src/core/ports/machines.ts";
import { GENERATION_SCHEMA, type Generation } from "../../src/environment/generations.ts";
import { loadProject, type Project, stackOf } from "../../src/environment/project.ts";
import type { FailoverFacts } from "../../src/recovery/failover-facts.ts";
import { PACKS } from "../stack/stack-fixture.ts";

/** A minute of the day that everything here happens on. */
export const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 14, minute));

/** A backup that holds database `summit` of `production`, stored at `minute`, its data two minutes older. */
export function backupAt(minute: number, changes: Partial<Manifest> = {}): Backup {
  const startedAt = at(minute - 2).toISOString();
  const stored = { bytes: 3, sha256: "a".repeat(64), partSize: 16, parts: ["b".repeat(64)] };
  const member: DatabaseMember = {
    kind: "database",
    database: "summit",
    file: "summit.dump.bz2",
    content: "archive",
    compression: "bzip2",
    plain: { bytes: 3, sha256: "a".repeat(64) },
    stored,
    snapshotAt: startedAt,
    facts: FACTS,
    rows: [
      ["public", "room", 40],
      ["public", "slot", 2],
    ],
  };
  const manifest: Manifest = {
    schema: MANIFEST_SCHEMA,
    id: `20261122T14${String(minute).padStart(2, "0")}00Z-aaaaaa`,
    project: "conference",
    environment: "production",
    generation: 1,
    summitctl: "0.1.0",
    startedAt,
    finishedAt: at(minute).toISOString(),
    server: { version: "15.20", versionNumber: 150_020, systemIdentifier: "1", now: startedAt },
    clientVersion: "15.20",
    members: [member],
    ...changes,
  };
  return { manifest, storedAt: at(minute) };
}

const FACTS: DatabaseMember["facts"] = {
  owner: "summit",
  encoding: "UTF8",
  collate: "C.UTF-8",
  ctype: "C.UTF-8",
  localeProvider: "c",
  icuLocale: null,
  connectionLimit: -1,
  comment: null,
  grants: null,
  settings: [],
  extensions: [],
  sizeBytes: 1,
};

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

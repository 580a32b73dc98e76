import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RetentionPolicy } from "../../src/config/retention.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { TerminalConnector } from "../../src/core/ports/shell.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import type { Project } from "../../src/environment/project.ts";
import { takeBackup } from "../../src/recovery/take-backup.ts";
import { type FakeMachines, fakeMachines } from "../support/fake-machines.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { watchedStore } from "../support/watched-store.ts";
import { generation, keepGeneration, projectWith, specOf } from "./recovery-fixture.ts";

const COPIES = "memory:///copies";

let cluster: PostgresCluster;
let fake: FakeMachines;
let first: MemoryStore;
let copies: MemoryStore;

beforeAll(async () => {
  cluster = await startPostgres();
  await cluster.sql("postgres", "CREATE DATABASE summit");
  await cluster.sql("summit", "CREATE TABLE talk AS SELECT generate_series(1, 7) AS n");
});
afterAll(() => cluster?.[Symbol.asyncDispose]());
beforeEach(async () => {
  fake = fakeMachines();
  first = memoryStore();
  copies = memoryStore({ url: COPIES });
  await fake.machines.create(specOf("production", "postgresql/0"));
  await keepGeneration(first, generation(4, "production", 0));
});

/** Machines are records; the database server is a real one. */
async function take(
  second: ObjectStore = copies,
  { required = true, retention }: { required?: boolean; retention?: RetentionPolicy } = {},
) {
  const project = await projectWith("backup: { databases: [summit] }");
  const stores = [first, second].map(({ url }) => ({ url, path: "/", required }));
  const configured: Project = { ...project, config: { ...project.config, stores, retention } };
  const out = fakeOutput();
  const connector = {
    connect: async () => cluster.shell(),
    publicKeys: async () => [],
  } as unknown as TerminalConnector;
  const taken = await takeBackup(configured, "production", {
    out,
    now: () => new Date(),
    signal: new AbortController().signal,
    version: "0.1.0",
    machines: async () => fake.machines,
    stores: async () => [first, second],
    connector: async () => connector,
  });
  return { ...taken, out };
}

const backupIn = (store: MemoryStore) =>
  [...store.objects].filter(([key]) => !key.includes("/_state/")).map(([key, { body }]) => [key, body.toString("hex")]);

test("a backup is in the first store, and copied byte for byte to the others", async () => {
  const { manifest, store } = await take();
  expect(manifest).toMatchObject({ project: "conference", environment: "production", generation: 4 });
  expect(store).toBe(first.url);
  expect(backupIn(first)).toHaveLength(3);
  expect(new Map(backupIn(copies) as [string, string][])).toEqual(new Map(backupIn(first) as [string, string][]));
});

const full = () =>
  watchedStore(copies, { beforePut: () => Promise.reject(new SummitError("store", "the disk is full")) });

test("a store that fails and is required is an error that says where the backup is", async () => {
  await expect(take(full())).rejects.toMatchObject({
    kind: "store",
    message: expect.stringMatching(/is in memory:\/\/\/, but not in memory:\/\/\/copies, .*: the disk is full$/),
  });
  expect(backupIn(first)).toHaveLength(3);
  expect(copies.objects.size).toBe(0);
});

test("one that is not required leaves it at a warning", async () => {
  const { out } = await take(full(), { required: false });
  expect(out.warnings).toContain(`the backup is not in ${COPIES}: the disk is full`);
});

test("another backup under its id in the other store is told as what it is", async () => {
  const racing: ObjectStore = {
    ...copies,
    head: async (key) => {
      if (key.endsWith("manifest.json")) await copies.put(key, Buffer.from("{}"));
      return await copies.head(key);
    },
  };
  await expect(take(racing)).rejects.toMatchObject({ kind: "verification" });
});

const KEEP_ONE: RetentionPolicy = {
  last: 1,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  within: 0,
  floor: 1,
};

test("then retention runs, in each store", async () => {
  await take();
  const { manifest, out } = await take(copies, { retention: KEEP_ONE });
  for (const store of [first, copies]) {
    const manifests = [...store.objects.keys()].filter((key) => key.endsWith("/manifest.json"));
    expect(manifests).toEqual([`conference/production/${manifest.id}/manifest.json`]);
  }
  expect(out.notes).toEqual(["retention removed 2; why: summitctl backups prune --dry-run"]);
});

test("what goes wrong with retention is a warning: the backup is good", async () => {
  await take();
  const lame: ObjectStore = { ...copies, now: () => Promise.reject(new SummitError("store", "it is read-only")) };
  const { manifest, out } = await take(lame, { retention: KEEP_ONE });
  expect(copies.objects.has(`conference/production/${manifest.id}/manifest.json`)).toBe(true);
  expect(out.warnings).toEqual([`${COPIES}: nothing is removed there: it is read-only`]);
});

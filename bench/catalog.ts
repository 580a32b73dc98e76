import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Chalk } from "chalk";
import { planRetention } from "../src/backup/retention.ts";
import { SummitError } from "../src/core/errors.ts";
import type { ObjectInfo, ObjectStore } from "../src/core/ports/store.ts";
import { fileMemory } from "../src/providers/memory/file-memory.ts";
import { viewText } from "../src/providers/output/view-text.ts";
import { backupsView, listBackups } from "../src/recovery/list-backups.ts";
import { readRetentionFacts } from "../src/recovery/retention-facts.ts";
import { fakeOutput } from "../test/support/fake-output.ts";
import { sampleManifest } from "../test/support/sample-manifest.ts";
import { type Bench, row } from "./bench.ts";

const BACKUPS = 100_000;
const RUNS = 5;
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 14, 38);
const URL = "memory:///simulated";
const POLICY = { last: 3, hourly: 48, daily: 30, weekly: 26, monthly: 24, yearly: 10, within: 3 * 86_400, floor: 3 };

/** A catalog of 100,000 backups, one an hour, every tenth verified: listed from a simulated store, and pruned by plan. */
export const catalog: Bench = async (say) => {
  const folder = await mkdtemp(join(tmpdir(), "summitctl-bench-"));
  try {
    const store = simulatedStore();
    const memory = fileMemory(folder);
    say(`${BACKUPS} backups, nothing remembered`);
    const [first] = await seconds(1, () => list(store, memory));
    say("again, with what is remembered");
    let text = "";
    const listed = await seconds(RUNS, async () => {
      text = viewText(backupsView(await list(store, memory)), { chalk: new Chalk({ level: 0 }), columns: undefined });
    });
    if (text.split("\n").length < BACKUPS) throw new Error(`only ${text.split("\n").length} lines were listed`);
    const wanted = { project: "schedule", environment: undefined, removeBroken: false };
    const facts = await readRetentionFacts(store, wanted, { generations: [], inUse: new Map() }, { memory });
    let kept = 0;
    const planned = await seconds(RUNS, async () => {
      const decisions = planRetention(facts, POLICY, new Date(NOW));
      kept = decisions.filter(({ action }) => action === "keep").length;
    });
    return {
      rows: [
        row("list, nothing remembered", "s", [first ?? 0]),
        row("list, as a table", "s", listed, { target: 2 }),
        row("plan retention", "s", planned, { target: 1 }),
        row("memory of this process", "MB", [process.memoryUsage().rss / 1e6]),
      ],
      notes: [
        `${BACKUPS} backups of a simulated store that answers at once; ${kept} stay by ${JSON.stringify(POLICY)}`,
        "a real store adds its listing: an S3 server gives 1,000 objects per request",
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const list = (store: ObjectStore, memory: ReturnType<typeof fileMemory>) =>
  listBackups(
    { config: { project: "schedule", stores: [] }, environment: undefined },
    {
      stores: async () => [store],
      now: () => new Date(NOW),
      memory,
      out: fakeOutput(),
      signal: new AbortController().signal,
    },
  );

async function seconds(runs: number, work: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const began = performance.now();
    await work();
    taken.push((performance.now() - began) / 1000);
  }
  return taken;
}

/** Bodies are made when they are asked for: 100,000 manifests are not what is measured. */
function simulatedStore(): ObjectStore {
  const idOf = (number: number) =>
    `${new Date(NOW - number * HOUR).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z-k3x9qa`;
  const infos: ObjectInfo[] = [];
  const bodies = new Map<string, () => unknown>();
  for (let number = 0; number < BACKUPS; number += 1) {
    const [id, storedAt] = [idOf(number), new Date(NOW - number * HOUR)];
    const prefix = `schedule/production/${id}/`;
    for (const file of ["summit.dump.bz2", "roles.sql.bz2", "manifest.json"])
      infos.push({ key: prefix + file, size: 2000, storedAt });
    bodies.set(`${prefix}manifest.json`, () => sampleManifest({ id }));
    if (number % 10 > 0) continue;
    const key = `${prefix}records/${id}-verified.json`;
    infos.push({ key, size: 500, storedAt });
    bodies.set(key, () => verifiedRecord(id, storedAt));
  }
  const refuse = () => Promise.reject(new SummitError("store", "this store is only read"));
  return {
    url: URL,
    list: async (prefix) => infos.filter(({ key }) => key.startsWith(prefix)).map((info) => ({ ...info })),
    get: async (key) => Readable.from([Buffer.from(JSON.stringify(bodies.get(key)?.()))], { objectMode: false }),
    head: refuse,
    put: refuse,
    delete: refuse,
    removeUnfinished: refuse,
    now: async () => new Date(NOW),
    capabilities: async () => ({ exclusiveCreate: true, checksum: "none", maxParts: undefined }),
    lastCapabilities: async () => undefined,
  };
}

const verifiedRecord = (id: string, at: Date) => ({
  schema: "summitctl.backup-record.v1",
  kind: "verified",
  project: "schedule",
  environment: "production",
  backup: id,
  at: at.toISOString(),
  by: "ann@laptop",
  summitctl: "0.1.0",
  ok: true,
  how: "read",
  compared: { files: 2, parts: 2, storedBytes: 20, plainBytes: 200 },
  problems: [],
  seconds: 1,
});

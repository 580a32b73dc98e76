import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { backupPrefix, MANIFEST_FILE } from "../../src/backup/keys.ts";
import type { HttpAnswer } from "../../src/core/deps.ts";
import { SummitError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { commitGeneration } from "../../src/environment/generations.ts";
import { stateStore } from "../../src/environment/state.ts";
import { type FailoverRequest, gatherFacts } from "../../src/recovery/failover-facts.ts";
import { type FakeMachines, fakeMachines } from "../support/fake-machines.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { at, backupAt, keepBackup, MARK, projectWith, specOf } from "./recovery-fixture.ts";

let store: MemoryStore;
let fake: FakeMachines;
let minute: number;
beforeEach(() => {
  minute = 0;
  store = memoryStore({ now: () => at(minute) });
  fake = fakeMachines();
});

const OK: HttpAnswer = { status: 200, headers: {}, body: "" };
const NO_ANSWER = new SummitError("remote", "no answer");

interface World {
  readonly config?: string;
  readonly answer?: HttpAnswer;
  readonly secret?: string;
}

async function gather(request: Partial<FailoverRequest> = {}, { config, answer, secret = "k" }: World = {}) {
  const asked: string[] = [];
  const project = await projectWith(config);
  const facts = await gatherFacts(
    { project, to: undefined, backup: undefined, force: false, reason: undefined, ...request },
    {
      stores: async () => [store],
      machines: async () => fake.machines,
      address: async () => fake.address,
      version: "0.1.0",
      now: () => at(minute),
      trees: async () => ({ read: async () => ({ revision: "r1", archive: () => Readable.from([]) }) }),
      secret: async (name) => {
        if (secret !== "") return new Secret(secret);
        throw new SummitError("config", `the secret ${name} is missing`, { hint: "export APP_KEY" });
      },
      http: async ({ url }) => {
        asked.push(url);
        if (answer === undefined) throw NO_ANSWER;
        return answer;
      },
    },
  );
  return { ...facts, asked };
}

const goLive = async (environment: string, committed: number) => {
  minute = committed;
  const { length } = await store.list("conference/_state/generations/");
  const previous = length === 0 ? undefined : ({ number: length } as Parameters<typeof commitGeneration>[3]);
  const committedAt = at(minute).toISOString();
  await commitGeneration(store, "conference", { environment, reason: "test", committedAt }, previous);
};

/** Stores a backup with all its files; returns its id. */
async function keep(stored: number, changes: Parameters<typeof backupAt>[1] = {}): Promise<string> {
  minute = stored;
  return await keepBackup(store, backupAt(stored, changes));
}

const begin = async (environment: string, backup: string) => {
  const failover = { ...MARK, backup };
  await stateStore(store, "conference", "0.1.0").update(environment, (state) => ({ ...state, failover }));
};

const kindOf = (facts: Promise<unknown>) =>
  facts.then(
    () => undefined,
    ({ kind, message, hint }: SummitError) => ({ kind, message, hint }),
  );

describe("where it goes", () => {
  beforeEach(async () => {
    await goLive("production", 1);
    await keep(5);
  });

  test("to the first of failover_to that is not live", async () => {
    expect(await gather({}, { config: "failover_to: [production, attic, spare]" })).toMatchObject({
      from: "production",
      to: "attic",
    });
  });

  test("back, once the other one is live", async () => {
    await goLive("spare", 10);
    expect(await gather({}, { config: "failover_to: [spare, production]" })).toMatchObject({
      from: "spare",
      to: "production",
    });
  });

  test("where --to says", async () => {
    expect(await gather({ to: "attic" })).toMatchObject({ to: "attic" });
  });

  test("not to the live one, not to one that is not in summit.yaml", async () => {
    expect(await kindOf(gather({ to: "production" }))).toMatchObject({
      kind: "usage",
      message: '"production" is live already',
    });
    expect(await kindOf(gather({ to: "spaer" }))).toMatchObject({
      kind: "usage",
      message: expect.stringContaining('"spare"'),
    });
  });

  test("nowhere when failover_to names only what is live; the hint names another", async () => {
    expect(await kindOf(gather({}, { config: "failover_to: [production]" }))).toMatchObject({
      kind: "config",
      hint: "summitctl failover --to spare",
    });
  });

  test("to the environment of a failover that was cut after its commit, whatever else is asked", async () => {
    await begin("spare", await keep(6));
    await goLive("spare", 10);
    expect(await gather({ to: "attic" })).toMatchObject({
      from: "production",
      to: "spare",
      live: { number: 2 },
      mark: MARK_FROM,
    });
  });
});

const MARK_FROM = { from: "production" };

describe("which backup", () => {
  test("a store without a generation may be a store that is not mounted", async () => {
    const problem = await kindOf(gather());
    expect(problem).toMatchObject({ kind: "check", message: expect.stringContaining("memory:///") });
    expect(problem?.hint).toMatch(/^summitctl doctor/);
  });

  test("none, a wrong id, an id that reads like something else", async () => {
    await goLive("production", 1);
    expect(await kindOf(gather())).toMatchObject({ kind: "check", hint: "summitctl backups list" });
    expect(await kindOf(gather({ backup: "20261122T140500Z-zzzzzz" }))).toMatchObject({ kind: "check" });
    expect(await kindOf(gather({ backup: "../../etc" }))).toMatchObject({ kind: "usage" });
  });

  test("the newest that counts; the older one and those of no use are known", async () => {
    await goLive("production", 1);
    const old = await keep(5);
    const newest = await keep(8);
    minute = 9;
    await store.put(`conference/production/20261122T140900Z-dddddd/${MANIFEST_FILE}`, Buffer.from("{"));
    const facts = await gather();
    expect(facts.backup.manifest.id).toBe(newest);
    expect((await gather({ backup: "latest" })).backup.manifest.id).toBe(newest);
    expect(facts.older?.manifest.id).toBe(old);
    expect(facts.newerBroken.map(({ id }) => id)).toEqual(["20261122T140900Z-dddddd"]);
    expect((await gather({ backup: old })).newerBroken).toHaveLength(1);
  });

  test("not one that an environment stored after it had been left", async () => {
    await goLive("production", 1);
    const good = await keep(5);
    await goLive("spare", 10);
    await keep(15);
    expect((await gather({}, { config: "failover_to: [attic]" })).backup.manifest.id).toBe(good);
  });

  test("one whose file is missing or cut is known to be damaged before anything is done", async () => {
    await goLive("production", 1);
    const id = await keep(5);
    expect((await gather()).damage).toBeUndefined();
    const key = `${backupPrefix("conference", "production", id)}summit.dump.bz2`;
    store.objects.set(key, { body: Buffer.from("a"), storedAt: at(5) });
    expect((await gather()).damage?.message).toContain("has 1 bytes, expected 3");
    await store.delete(key);
    expect((await gather()).damage?.message).toContain("is missing");
  });

  test("one that is encrypted, and no identity here: known before anything is done", async () => {
    await goLive("production", 1);
    const id = await keep(5);
    const key = `${backupPrefix("conference", "production", id)}${MANIFEST_FILE}`;
    const kept = store.objects.get(key);
    const manifest = JSON.parse(kept?.body.toString() ?? "");
    for (const member of manifest.members) member.encryption = { kind: "age", recipients: ["age1somebody"] };
    store.objects.set(key, { body: Buffer.from(JSON.stringify(manifest)), storedAt: at(5) });
    const { inputProblem, damage } = await gather();
    expect(damage).toBeUndefined();
    expect(inputProblem).toMatchObject({
      kind: "config",
      message: `the backup ${id} is encrypted, and summit.yaml does not say where an identity is`,
    });
  });

  test("a failover that was begun keeps its backup, also when a newer one came", async () => {
    await goLive("production", 1);
    const first = await keep(5);
    await begin("spare", first);
    const second = await keep(8);
    expect((await gather()).backup.manifest.id).toBe(first);
    expect(await kindOf(gather({ backup: second }))).toMatchObject({
      kind: "check",
      message: expect.stringContaining(`with backup ${first} was begun`),
      hint: expect.stringContaining("summitctl destroy -e spare"),
    });
  });
});

describe("how the old environment is", () => {
  beforeEach(async () => {
    await goLive("production", 1);
    await keep(5);
  });

  test("down when none of its machines runs", async () => {
    const machine = await fake.machines.create(specOf("production", "haproxy/0"));
    await fake.machines.stop(machine);
    expect(await gather({}, { answer: OK })).toMatchObject({ breath: "down", asked: [] });
  });

  test("running when its front does not answer, answers badly, or is gone", async () => {
    await fake.machines.create(specOf("production", "postgresql/0"));
    expect(await gather({}, { answer: OK })).toMatchObject({ breath: "running", asked: [] });
    await fake.machines.create(specOf("production", "haproxy/0"));
    expect(await gather()).toMatchObject({ breath: "running" });
    expect(await gather({}, { answer: { ...OK, status: 503 } })).toMatchObject({ breath: "running" });
  });

  test("serving when its front says that it is healthy", async () => {
    const { privateAddress } = await fake.machines.create(specOf("production", "haproxy/0"));
    const { breath, asked } = await gather({}, { answer: OK });
    expect(breath).toBe("serving");
    expect(asked).toEqual([`http://${privateAddress}/health/`]);
  });
});

test("what the target cannot be built without is part of the facts, not an error", async () => {
  await goLive("production", 1);
  await keep(5);
  const { inputProblem } = await gather({}, { secret: "" });
  expect(inputProblem?.message).toBe("the secret app_key is missing");
  expect(inputProblem?.hint).toBe("export APP_KEY");
});

test("gathering them changes nothing in the store", async () => {
  await goLive("production", 1);
  await keep(5);
  const before = [...store.objects.keys()];
  await gather();
  expect([...store.objects.keys()]).toEqual(before);
});

import { describe, expect, test } from "vitest";
import { NO_STANDING } from "../../src/backup/standing.ts";
import { SummitError } from "../../src/core/errors.ts";
import { planFailover, planView } from "../../src/recovery/failover-plan.ts";
import { at, backupAt, factsWith, generation, MARK, machine } from "./recovery-fixture.ts";

const PLAIN = { force: false, reason: undefined };
const FORCED = { force: true, reason: "the disk is dying" };

describe("the plan", () => {
  test("says what goes where, from which data and how old that is", async () => {
    const plan = planFailover(await factsWith(), PLAIN);
    expect(plan).toMatchObject({
      from: "production",
      to: "spare",
      backup: "20261122T141000Z-aaaaaa",
      dataFrom: at(8).toISOString(),
      dataAgeSeconds: 7 * 60,
      databases: [{ name: "summit", rows: 42 }],
      blockers: [],
      resumes: false,
    });
    expect(plan.topology).toEqual([
      { unit: "postgresql/0", before: "production: no machine", after: "spare: new machine" },
      { unit: "memcached/0", before: "production: no machine", after: "spare: new machine" },
      { unit: "summit/0", before: "production: no machine", after: "spare: new machine" },
      { unit: "haproxy/0", before: "production: stopped", after: "spare: new machine" },
    ]);
  });

  test("fences only what runs, and commits the generation after the live one", async () => {
    const down = planFailover(await factsWith(), PLAIN).steps;
    expect(down.join("\n")).not.toContain("fence");
    expect(down.join("\n")).toContain("commit generation 2");
    const facts = await factsWith({ breath: "running", oldMachines: [machine("production", "haproxy/0")] });
    const { steps, topology } = planFailover(facts, PLAIN);
    const fence = steps.findIndex((step) => step.startsWith('fence "production"'));
    const commit = steps.findIndex((step) => step.startsWith("commit generation"));
    expect(fence).toBeGreaterThan(0);
    expect(commit).toBe(fence + 1);
    expect(topology.at(-1)).toMatchObject({ unit: "haproxy/0", before: "production: running 10.9.9.1" });
  });

  test("is shown with its age in words, its steps in order and what stops it", async () => {
    const facts = await factsWith({ newMachines: [machine("spare", "haproxy/0")] });
    const text = JSON.stringify(planView(planFailover(facts, PLAIN)));
    for (const part of ["7 min ago", "42 rows", "1. make 4 machines", "what stops it", "begins with none there"]) {
      expect(text).toContain(part);
    }
  });
});

describe("what stops it", () => {
  const blockers = async (changes: Parameters<typeof factsWith>[0], request: typeof PLAIN | typeof FORCED = PLAIN) =>
    planFailover(await factsWith(changes), request).blockers;

  test.each([
    ["neither force nor reason", PLAIN, 1],
    ["force without a reason", { force: true, reason: undefined }, 1],
    ["a reason without force", { force: false, reason: "because" }, 1],
    ["force and a reason", FORCED, 0],
  ])("an environment that serves, with %s", async (_what, request, count) => {
    const facts = await factsWith({ breath: "serving", oldMachines: [machine("production", "haproxy/0")] });
    const found = planFailover(facts, request).blockers;
    expect(found).toHaveLength(count);
    for (const { message, hint } of found) {
      expect(message).toContain('"production" still serves');
      expect(hint).toMatch(/^summitctl failover --force --reason "/);
    }
  });

  test("nothing serves against a failover that is committed already: what is left is to finish", async () => {
    const live = generation(2, "spare", 14);
    expect(await blockers({ breath: "serving", live, mark: MARK })).toEqual([]);
  });

  test("machines that run but do not serve are fenced, no reason needed", async () => {
    expect(await blockers({ breath: "running", oldMachines: [machine("production", "haproxy/0")] })).toEqual([]);
  });

  test("a target with machines from before", async () => {
    const newMachines = [machine("spare", "haproxy/0"), machine("spare", "summit/0")];
    expect(await blockers({ newMachines })).toEqual([
      {
        message: '"spare" has 2 machines from before: a failover begins with none there',
        hint: "summitctl destroy -e spare",
      },
    ]);
    expect(await blockers({ newMachines, mark: MARK })).toEqual([]);
  });

  test("a backup without one of the databases", async () => {
    const found = await blockers({ databases: ["summit", "mail", "a b"] });
    expect(found).toEqual([
      {
        message: 'the backup 20261122T141000Z-aaaaaa lacks database "mail", database "a b"',
        hint: "summitctl backups show 20261122T141000Z-aaaaaa",
      },
    ]);
  });

  test("a secret or source that cannot be had, with its own hint", async () => {
    const inputProblem = new SummitError("config", "the secret app_key is missing", {
      hint: "export APP_KEY",
      details: ["APP_KEY is not set"],
    });
    expect(await blockers({ inputProblem })).toEqual([
      { message: "the secret app_key is missing; APP_KEY is not set", hint: "export APP_KEY" },
    ]);
  });

  test("a damaged backup, with the older one to take instead", async () => {
    const damage = new SummitError("verification", "the backup is damaged");
    const older = backupAt(3);
    expect((await blockers({ damage, older }))[0]?.hint).toBe(
      "summitctl failover --to spare --backup 20261122T140300Z-aaaaaa",
    );
    expect((await blockers({ damage, older, mark: MARK }))[0]?.hint).toBe(
      "summitctl destroy -e spare --confirm spare && summitctl failover --to spare --backup 20261122T140300Z-aaaaaa",
    );
    expect((await blockers({ damage }))[0]?.hint).toContain("summitctl backups list");
  });

  test("all of it at once", async () => {
    const found = await blockers({
      breath: "serving",
      newMachines: [machine("spare", "haproxy/0")],
      databases: ["mail"],
      inputProblem: new SummitError("config", "no source"),
      damage: new SummitError("verification", "cut"),
    });
    expect(found).toHaveLength(5);
    for (const { hint } of found) expect(hint).toMatch(/^summitctl /);
  });
});

describe("what the operator should know", () => {
  const warnings = async (changes: Parameters<typeof factsWith>[0]) =>
    planFailover(await factsWith(changes), FORCED).warnings.join("\n");

  test("one view is one view", async () => {
    expect(await warnings({})).toContain("does not prove that nobody else can reach it");
  });

  test("an environment that breathes is stopped first", async () => {
    const oldMachines = [machine("production", "haproxy/0"), machine("production", "summit/0", { state: "stopped" })];
    expect(await warnings({ breath: "serving", oldMachines })).toContain("it serves; it is stopped before");
    expect(await warnings({ breath: "running", oldMachines })).toContain("1 of its machines run");
  });

  test("a newer backup than the one that was chosen, and a newer one that is of no use", async () => {
    expect(await warnings({ newest: backupAt(12) })).toContain("20261122T141200Z-aaaaaa is newer than the backup");
    const broken = {
      id: "20261122T141300Z-cccccc",
      environment: "production",
      storedAt: at(13),
      problem: "it was cut",
      cut: true,
      standing: NO_STANDING,
    };
    expect(await warnings({ newerBroken: [broken] })).toContain(`${broken.id} is newer and cannot be used: it was cut`);
  });
});

describe("a failover that was cut", () => {
  test("before the commit: it goes on with its machines", async () => {
    const plan = planFailover(await factsWith({ mark: MARK, newMachines: [machine("spare", "summit/0")] }), PLAIN);
    expect(plan.resumes).toBe(true);
    expect(plan.topology.find(({ unit }) => unit === "summit/0")?.after).toBe("spare: 10.9.9.1");
    expect(plan.steps.join("\n")).toContain("commit generation 2");
    expect(planView(plan)[0]).toEqual({ title: 'failover from "production" to "spare", going on where it was cut' });
  });

  test("after the commit: the generation is not counted up again", async () => {
    const plan = planFailover(await factsWith({ mark: MARK, live: generation(2, "spare", 14) }), PLAIN);
    expect(plan.steps.join("\n")).toContain("commit generation 2 and");
  });
});

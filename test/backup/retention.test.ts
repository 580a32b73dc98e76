import { describe, expect, test } from "vitest";
import type { BrokenBackup } from "../../src/backup/catalog.ts";
import { planRetention, type RetentionCandidate, type RetentionDecision } from "../../src/backup/retention.ts";
import { NO_STANDING, type Standing } from "../../src/backup/standing.ts";
import type { RetentionPolicy } from "../../src/config/retention.ts";
import { randomFrom } from "../support/random-from.ts";

const NONE: RetentionPolicy = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: 0, floor: 1 };
const NOW = new Date("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;

interface Sample {
  /** Hours before now. */
  readonly age: number;
  readonly environment?: string;
  readonly standing?: Standing;
  readonly ofThisLife?: boolean;
  readonly dataFrom?: string;
}

let count = 0;
const idOf = (number: number): string => `20261122T143800Z-${String(number).padStart(6, "0")}`;

function backup({ age, environment = "production", standing = NO_STANDING, ...more }: Sample): RetentionCandidate {
  const storedAt = new Date(NOW.getTime() - age * HOUR);
  return {
    manifest: {
      id: idOf(++count),
      project: "schedule",
      environment,
      generation: 1,
      dataFrom: more.dataFrom ?? storedAt.toISOString(),
      storedBytes: 10,
      databases: ["summit"],
      rows: 1,
    },
    storedAt,
    standing,
    ofThisLife: more.ofThisLife ?? true,
  };
}

const broken = (age: number, over: Partial<BrokenBackup> = {}): BrokenBackup => ({
  id: idOf(++count),
  environment: "production",
  storedAt: new Date(NOW.getTime() - age * HOUR),
  problem: "it was cut",
  cut: true,
  standing: NO_STANDING,
  ...over,
});

interface Given {
  readonly broken?: readonly BrokenBackup[];
  readonly removeBroken?: boolean;
  readonly inUse?: ReadonlyMap<string, string>;
  readonly now?: Date;
}

const plan = (backups: readonly RetentionCandidate[], policy: Partial<RetentionPolicy>, given: Given = {}) =>
  planRetention(
    { backups, broken: given.broken ?? [], inUse: given.inUse ?? new Map(), removeBroken: given.removeBroken ?? false },
    { ...NONE, ...policy },
    given.now ?? NOW,
  );

const FAILED: Standing = {
  ...NO_STANDING,
  verification: {
    ok: false,
    how: "read",
    seconds: 1,
    problems: ["part 1 is not what was stored"],
    at: NOW.toISOString(),
  },
};
const kept = (until: string | null): Standing => ({
  ...NO_STANDING,
  kept: { reason: "upgrade", by: "ann@laptop", until },
});

const agesKept = (samples: readonly Sample[], policy: Partial<RetentionPolicy>, given: Given = {}): number[] => {
  const backups = samples.map(backup);
  const actions = new Map(plan(backups, policy, given).map(({ id, action }) => [id, action]));
  return samples.filter((_, at) => actions.get(backups[at]?.manifest.id ?? "") === "keep").map(({ age }) => age);
};

const every = (hours: number, times: number): Sample[] =>
  Array.from({ length: times }, (_, at) => ({ age: at * hours }));

describe("rules", () => {
  test.each<[string, Partial<RetentionPolicy>, number[]]>([
    ["the last two", { last: 2 }, [0, 6]],
    ["the newest of each of two days, in UTC", { daily: 2 }, [0, 18]],
    ["of each of three days", { daily: 3 }, [0, 18, 42]],
    // 22 November 2026 is a Sunday: its week began on Monday the 16th at 00:00, 156 hours before.
    ["of each of two weeks, from Monday on", { weekly: 2 }, [0, 162]],
    ["of each of two months", { monthly: 2 }, [0, 522]],
    ["all within a span before the newest", { within: 13 * 3600 }, [0, 6, 12]],
    ["of both rules", { last: 2, daily: 2 }, [0, 6, 18]],
    ["no more than there is", { hourly: 1000, yearly: 3 }, every(6, 100).map(({ age }) => age)],
  ])("keep %s", (_what, policy, expected) => {
    expect(agesKept(every(6, 100), policy)).toEqual(expected);
  });

  test("empty buckets are not counted: a pause of months lets nothing go", () => {
    expect(agesKept([{ age: 3000 }, { age: 3024 }, { age: 9000 }], { daily: 3 })).toEqual([3000, 3024, 9000]);
  });

  test("a floor of good ones, the newest, is kept beside what the rules keep", () => {
    expect(agesKept(every(6, 10), { last: 1, floor: 3 })).toEqual([0, 6, 12]);
    expect(agesKept(every(6, 10), { daily: 3, floor: 3 })).toEqual([0, 18, 42]);
  });

  test("what somebody keeps does not make up the floor: it may be released", () => {
    const old = [
      { age: 900, standing: kept(null) },
      { age: 901, standing: kept(null) },
    ];
    expect(agesKept([...every(6, 4), ...old], { last: 1, floor: 2 })).toEqual([0, 6, 900, 901]);
  });

  test("says why", () => {
    const [first, second] = plan([backup({ age: 0 }), backup({ age: 1 })], { last: 1, daily: 2 });
    expect(first).toMatchObject({ action: "keep", reasons: ["the newest good one", "last 1 of 1", "daily 1 of 2"] });
    expect(second).toMatchObject({ action: "remove", reasons: ["no rule keeps it"] });
  });
});

describe("what stays whatever the rules say", () => {
  test("what somebody keeps, until its time has passed", () => {
    const samples = [
      { age: 0 },
      { age: 50, standing: kept(null) },
      { age: 51, standing: kept("2026-11-22T12:00:01.000Z") },
      { age: 52, standing: kept("2026-11-22T12:00:00.000Z") },
    ];
    expect(agesKept(samples, { last: 1 })).toEqual([0, 50, 51]);
  });

  test("what a record says that nobody can read", () => {
    expect(agesKept([{ age: 0 }, { age: 50, standing: { ...NO_STANDING, problems: ["cut"] } }], { last: 1 })).toEqual([
      0, 50,
    ]);
  });

  test("what comes from the future stays and makes up for nothing", () => {
    expect(agesKept([{ age: -5 }, { age: -4 }, { age: 1 }, { age: 2 }], { last: 1 })).toEqual([-5, -4, 1]);
  });

  test("a server's clock that ran ahead moves no bucket", () => {
    const ahead = { age: 30, dataFrom: "2099-01-01T00:00:00.000Z" };
    expect(agesKept([{ age: 0 }, { age: 1 }, ahead], { within: 3 * 3600 })).toEqual([0, 1]);
  });

  test("what is in use", () => {
    const old = backup({ age: 90 });
    const inUse = new Map([[old.manifest.id, 'a failover into "spare" uses it']]);
    expect(plan([backup({ age: 0 }), old], { last: 1 }, { inUse })[1]).toMatchObject({
      action: "keep",
      reasons: ['a failover into "spare" uses it'],
    });
  });

  test("the newest of each environment, and of each life of it", () => {
    const samples = [
      { age: 0, environment: "spare" },
      { age: 10, environment: "production", ofThisLife: false },
      { age: 11, environment: "production", ofThisLife: false },
      { age: 20, environment: "production" },
    ];
    expect(agesKept(samples, { last: 1 })).toEqual([0, 10, 20]);
  });
});

describe("what is of no use", () => {
  test("stays unless it is asked for, and takes nothing from what is good", () => {
    const samples = [{ age: 0, standing: FAILED }, { age: 1 }, { age: 2 }];
    expect(agesKept(samples, { daily: 1 })).toEqual([0, 1]);
    expect(agesKept(samples, { daily: 1 }, { removeBroken: true })).toEqual([1]);
  });

  test("a damaged one goes only when asked for, and only beside a good one", () => {
    const cut = broken(5);
    const actionOf = (backups: RetentionCandidate[], removeBroken: boolean) =>
      plan(backups, { last: 1 }, { broken: [cut], removeBroken }).find(({ id }) => id === cut.id)?.action;
    expect(actionOf([backup({ age: 0 })], false)).toBe("keep");
    expect(actionOf([backup({ age: 0 })], true)).toBe("remove");
    expect(actionOf([], true)).toBe("keep");
    expect(actionOf([backup({ age: 0, environment: "spare" })], true)).toBe("keep");
    expect(actionOf([backup({ age: -1 })], true)).toBe("keep");
  });

  test("failed ones alone stay", () => {
    expect(
      agesKept(
        [
          { age: 0, standing: FAILED },
          { age: 1, standing: FAILED },
        ],
        {},
        { removeBroken: true },
      ),
    ).toEqual([0, 1]);
  });

  test.each([
    ["that another version may read", { cut: false }],
    ["that somebody keeps", { standing: kept(null) }],
    ["from the future", { storedAt: new Date(NOW.getTime() + 1) }],
  ])("one %s never goes", (_what, over) => {
    const decisions = plan([backup({ age: 0 })], { last: 1 }, { broken: [broken(5, over)], removeBroken: true });
    expect(decisions.map(({ action }) => action)).toEqual(["keep", "keep"]);
  });
});

describe("1,000 random histories", () => {
  const random = randomFrom(20_261_122);
  const pick = (highest: number): number => Math.floor(random() * highest);

  function history(): RetentionCandidate[] {
    return Array.from({ length: pick(60) }, () =>
      backup({
        age: Math.floor(random() ** 3 * 20_000) - 10,
        environment: ["production", "spare"][pick(2)] as string,
        ofThisLife: pick(4) > 0,
        standing: [NO_STANDING, NO_STANDING, FAILED, kept(null), kept("2026-11-20T00:00:00.000Z")][pick(5)] as Standing,
        ...(pick(8) === 0 ? { dataFrom: new Date(NOW.getTime() + (random() - 0.5) * 1e12).toISOString() } : {}),
      }),
    );
  }

  const policy = (): RetentionPolicy => ({
    last: pick(4),
    hourly: pick(10),
    daily: pick(10),
    weekly: pick(5),
    monthly: pick(5),
    yearly: pick(3),
    within: pick(2) * pick(200) * 3600,
    floor: 1 + pick(5),
  });

  const isGood = ({ standing, storedAt }: RetentionCandidate): boolean => standing !== FAILED && storedAt <= NOW;
  const lifeOf = ({ manifest, ofThisLife }: RetentionCandidate): string => `${manifest.environment} ${ofThisLife}`;

  test("the newest good one and the floor stay; planning twice removes no more; kept and future ones stay", () => {
    let removed = 0;
    for (let round = 0; round < 1000; round += 1) {
      const backups = history();
      const [rules, removeBroken] = [policy(), pick(2) === 0];
      const decisions = plan(backups, rules, { removeBroken });
      expect(decisions).toHaveLength(backups.length);
      const stays = new Set(decisions.filter(({ action }) => action === "keep").map(({ id }) => id));
      const left = backups.filter(({ manifest }) => stays.has(manifest.id));
      removed += backups.length - left.length;
      for (const life of new Set(backups.map(lifeOf))) {
        const good = backups.filter((one) => lifeOf(one) === life && isGood(one));
        const newest = good.reduce((latest, one) => Math.max(latest, one.storedAt.getTime()), 0);
        const leftGood = left.filter((one) => lifeOf(one) === life && isGood(one));
        expect(leftGood.length).toBeGreaterThanOrEqual(Math.min(rules.floor, good.length));
        if (good.length > 0) expect(leftGood.some(({ storedAt }) => storedAt.getTime() === newest)).toBe(true);
      }
      for (const one of backups) {
        if (one.storedAt > NOW || one.standing.kept?.until === null) expect(stays.has(one.manifest.id)).toBe(true);
        if (one.standing === FAILED && !removeBroken) expect(stays.has(one.manifest.id)).toBe(true);
      }
      const again: RetentionDecision[] = plan(left, rules, { removeBroken });
      expect(again.filter(({ action }) => action === "remove")).toEqual([]);
    }
    // Not all of it was trivially kept.
    expect(removed).toBeGreaterThan(5000);
  }, 30_000);
});

import { describe, expect, test } from "vitest";
import { checkExit, checkLine } from "../../src/monitor/check-view.ts";
import {
  type BackupFacts,
  type CheckResult,
  judgeStores,
  type Limits,
  type StoreFacts,
} from "../../src/monitor/judge-stores.ts";

const NOW = new Date("2026-11-22T15:00:00Z");
const LIMITS: Limits = { warnAge: 5400, critAge: 8100, sizeDrop: 50, verifyAge: undefined };
const minutes = (count: number, from = NOW): Date => new Date(from.getTime() - count * 60_000);

const backup = (age: number, over: Partial<BackupFacts> = {}): BackupFacts => ({
  id: `B${age}`,
  dataFrom: minutes(age),
  storedAt: minutes(age - 1),
  bytes: 80_000_000,
  counts: true,
  verified: null,
  ...over,
});

const store = (backups: readonly BackupFacts[], over: Partial<StoreFacts> = {}): StoreFacts => ({
  url: "s3://a",
  required: true,
  now: NOW,
  backups,
  broken: [],
  ...over,
});

const judge = (stores: readonly StoreFacts[], limits: Partial<Limits> = {}): CheckResult =>
  judgeStores({ limits: { ...LIMITS, ...limits }, stores });

const HOURLY = [41, 101, 161, 221, 281].map((age) => backup(age));

test("fresh, whole and everywhere is OK, in one line with numbers", () => {
  const result = judge([store(HOURLY), store(HOURLY, { url: "file:///b" })]);
  expect(checkLine(result)).toBe(
    "OK: B41 is 41 min old, 80.0 MB, in 2 stores | age=2460s;5400;8100;0 size=80000000B;;;0 copies=2;;;0;2 stores=2;;;0;2 damaged=0;;;0",
  );
  expect(checkExit(result)).toBe(0);
});

test.each([
  [89, "OK", 0],
  [90, "WARNING", 1],
  [134, "WARNING", 1],
  [135, "CRITICAL", 2],
] as const)("%d minutes old is %s", (age, state, exit) => {
  const result = judge([store([backup(age)])]);
  expect(result.state).toBe(state);
  expect(checkExit(result)).toBe(exit);
});

describe("each store by itself", () => {
  const stale = store([backup(400)], { url: "file:///b" });
  test("a fresh one hides no stale one", () => {
    const { state, findings } = judge([store(HOURLY), stale]);
    expect(state).toBe("CRITICAL");
    expect(findings.map(({ message }) => message)).toEqual([
      "newest backup in file:///b is 6 h 40 min old, limit 2 h 15 min",
      "B41 is not in file:///b, which is required",
    ]);
  });
  test("best effort is a WARNING at most, stale, empty or out of reach", () => {
    for (const over of [stale, store([], { url: "b" }), store([], { url: "b", problem: "no route" })])
      expect(judge([store(HOURLY), { ...over, required: false }]).state).toBe("WARNING");
  });
  test("one that is out of reach is CRITICAL when it is required", () => {
    const { now: _now, ...gone } = store([], { url: "file:///b", problem: "no route" });
    const result = judge([store(HOURLY), gone]);
    expect(checkLine(result)).toMatch(/^CRITICAL: file:\/\/\/b: no route; B41 is 41 min old/);
  });
  test("none that counts is CRITICAL, however many do not count", () => {
    expect(judge([store(HOURLY.map((one) => ({ ...one, counts: false })))]).state).toBe("CRITICAL");
  });
});

test("a copy may be on its way for a quarter of an hour", () => {
  const other = store(HOURLY, { url: "file:///b" });
  expect(judge([store([backup(14), ...HOURLY]), other]).state).toBe("OK");
  expect(judge([store([backup(16), ...HOURLY]), other])).toMatchObject({
    state: "WARNING",
    findings: [{ message: "B16 is not in file:///b, which is required" }],
  });
});

test("age is by the store's clock, and of data and storing the older counts", () => {
  const ahead = backup(10, { dataFrom: minutes(-600), storedAt: minutes(200) });
  expect(judge([store([ahead])]).state).toBe("CRITICAL");
  const imported = backup(10, { dataFrom: minutes(9000), storedAt: minutes(1) });
  expect(judge([store([imported])]).state).toBe("CRITICAL");
});

describe("size", () => {
  const withNewest = (bytes: number) => judge([store([backup(41, { bytes }), ...HOURLY.slice(1)])]);
  test("half of the usual is a WARNING, a little less than usual is not", () => {
    expect(withNewest(41_000_000).state).toBe("OK");
    expect(withNewest(40_000_000)).toMatchObject({
      state: "WARNING",
      findings: [{ message: "B41 is 50 % smaller than the ones before it" }],
    });
    expect(withNewest(14).state).toBe("WARNING");
  });
  test("the usual is the median: one that was tiny before changes nothing", () => {
    const sizes = [80, 1, 80, 82, 78].map((size, index) => backup(41 + index * 60, { bytes: size * 1e6 }));
    expect(judge([store(sizes)]).state).toBe("OK");
  });
  test("two backups before it say nothing yet", () => {
    expect(judge([store([backup(41, { bytes: 14 }), backup(101), backup(161)])]).state).toBe("OK");
  });
});

test("what is damaged, and a verification that failed, are a WARNING each", () => {
  expect(judge([store(HOURLY, { broken: ["X1", "X2", "X3", "X4"] })]).findings).toEqual([
    { state: "WARNING", message: "4 damaged in s3://a: X1, X2, X3, …" },
  ]);
  const failed = backup(101, { counts: false, verified: { ok: false, at: NOW.toISOString() } });
  expect(judge([store([backup(41), failed])]).findings).toEqual([
    { state: "WARNING", message: "verification of B101 in s3://a failed" },
  ]);
});

test("unverified for too long, where summit.yaml says what that is", () => {
  const verified = backup(101, { verified: { ok: true, at: minutes(60).toISOString() } });
  expect(judge([store([backup(41), verified])], { verifyAge: 3600 }).state).toBe("OK");
  expect(judge([store([backup(41), verified])], { verifyAge: 3599 }).findings[0]?.message).toBe(
    "last verified 1 h ago, limit 59 min 59 s",
  );
  expect(judge([store(HOURLY)], { verifyAge: 3600 }).findings[0]?.message).toBe(
    "no backup was ever verified, limit 1 h",
  );
  expect(judge([store(HOURLY)]).state).toBe("OK");
});

test("no bar and no second line gets into the words", () => {
  const line = checkLine(judge([store([], { url: "s3://a", problem: "it said: a|b\nage=0" })]));
  expect(line.split("|")).toHaveLength(2);
  expect(line).not.toContain("\n");
});

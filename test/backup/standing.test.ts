import { describe, expect, test } from "vitest";
import { parseRecord, RECORD_SCHEMA } from "../../src/backup/records.ts";
import {
  failedVerification,
  isKept,
  NO_STANDING,
  type StoredRecord,
  standingOf,
  standingTexts,
} from "../../src/backup/standing.ts";

const PLACE = { project: "schedule", environment: "production", id: "20261122T143800Z-k3x9qa" };
const KEY = "schedule/production/20261122T143800Z-k3x9qa/records/x.json";
const second = (at: number): Date => new Date(Date.UTC(2026, 10, 22, 15, 0, at));

const common = (at: number) => ({
  schema: RECORD_SCHEMA as "summitctl.backup-record.v1",
  project: PLACE.project,
  environment: PLACE.environment,
  backup: PLACE.id,
  at: second(at).toISOString(),
  by: "ann@laptop",
  summitctl: "0.1.0",
});

const kept = (stored: number, reason: string, written = stored): StoredRecord => ({
  record: { ...common(written), kind: "kept", reason, until: null },
  storedAt: second(stored),
});
const released = (stored: number, written = stored): StoredRecord => ({
  record: { ...common(written), kind: "released" },
  storedAt: second(stored),
});
const verified = (stored: number, ok: boolean, how: "read" | "restore" = "read", written = stored): StoredRecord => ({
  record: {
    ...common(written),
    kind: "verified",
    ok,
    how,
    compared: { files: 1, parts: 1, storedBytes: 1, plainBytes: 1 },
    problems: ok ? [] : ["part 1 is not what was stored"],
    seconds: 41,
  },
  storedAt: second(stored),
});

const standing = (...records: StoredRecord[]) => standingOf(records, []);

describe("order is by the store's time, whatever order they come in and whatever their own clocks say", () => {
  test("kept and released", () => {
    expect(standing(released(2, 0), kept(1, "x", 50)).kept).toBeNull();
    expect(standing(kept(3, "again", 0), released(2, 50), kept(1, "x", 60)).kept?.reason).toBe("again");
  });

  test("within one second of the store the writers' clocks decide, and of one moment the safer one", () => {
    expect(standing(released(1, 3), kept(1, "x", 2)).kept).toBeNull();
    expect(standing(released(1), kept(1, "x")).kept?.reason).toBe("x");
    expect(standing(kept(1, "x"), released(1)).kept?.reason).toBe("x");
    expect(failedVerification(standing(verified(1, true), verified(1, false)))).toBe(true);
    expect(failedVerification(standing(verified(1, false), verified(1, true)))).toBe(true);
  });
});

describe("what counts of verifications", () => {
  test.each([
    ["the last one", [verified(1, false), verified(2, true)], true],
    ["the last one, failed", [verified(1, true), verified(2, false)], false],
    ["a failed restore, for reading is the weaker proof", [verified(1, false, "restore"), verified(2, true)], false],
    ["a restore that went well later", [verified(1, false, "restore"), verified(2, true, "restore")], true],
    ["a restore after a failed reading", [verified(1, false), verified(2, true, "restore")], true],
  ])("%s", (_what, records, ok) => {
    expect(standingOf(records, []).verification?.ok).toBe(ok);
  });

  test("records that cannot be read make nothing count and let nothing go", () => {
    expect(standingOf([kept(1, "x"), verified(2, false)], ["cut"])).toMatchObject({
      kept: { reason: "x" },
      verification: { ok: false },
      problems: ["cut"],
    });
    expect(standingOf([], [])).toBe(NO_STANDING);
  });
});

test("a time until which it is kept", () => {
  const until = (text: string | null) => ({ ...NO_STANDING, kept: { reason: "x", by: "ann@laptop", until: text } });
  expect(isKept(until(null), second(0))).toBe(true);
  expect(isKept(until(second(1).toISOString()), second(0))).toBe(true);
  expect(isKept(until(second(0).toISOString()), second(0))).toBe(false);
  expect(isKept(NO_STANDING, second(0))).toBe(false);
});

test("in words", () => {
  const now = second(7200);
  expect(standingTexts(standing(verified(0, true, "restore"), kept(1, "upgrade")), now)).toEqual([
    "kept: upgrade",
    "verified 2 h ago by restore in 41 s",
  ]);
  expect(standingTexts(standing(verified(0, false)), now)).toEqual([
    "verification failed 2 h ago: part 1 is not what was stored",
  ]);
});

describe("what is no record", () => {
  const good = kept(1, "x").record;
  test("the good one", () => {
    expect(parseRecord(JSON.stringify(good), KEY, PLACE)).toEqual(good);
  });

  test.each<[string, string]>([
    ["empty", ""],
    ["cut", JSON.stringify(good).slice(0, 60)],
    ["null", "null"],
    ["of another version", JSON.stringify({ ...good, schema: "summitctl.backup-record.v2" })],
    ["of an unknown kind", JSON.stringify({ ...good, kind: "removed" })],
    ["with a field that may mean something", JSON.stringify({ ...good, forever: true })],
    ["without its reason", JSON.stringify({ ...good, reason: undefined })],
    ["of another backup", JSON.stringify({ ...good, backup: "20261122T143800Z-aaaaaa" })],
    ["of another environment", JSON.stringify({ ...good, environment: "spare" })],
    ["of another project", JSON.stringify({ ...good, project: "x" })],
  ])("%s", (_what, content) => {
    expect(() => parseRecord(content, KEY, PLACE)).toThrow(expect.objectContaining({ kind: "verification" }));
  });
});

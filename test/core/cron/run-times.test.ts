import { describe, expect, test } from "vitest";
import { longestGap, nextRun, nextRuns, previousRun, type Timetable } from "../../../src/core/cron/run-times.ts";
import { timetable as table } from "../../support/timetable.ts";

const runs = (of: Timetable, after: string, count: number): string[] =>
  nextRuns(of, new Date(after), count).map((date) => date.toISOString().slice(0, 16));

describe("Berlin, 29 March 2026: 02:00 to 03:00 does not exist", () => {
  test("a job at 02:30 runs at 03:30 of that day, once, and at 02:30 of the others", () => {
    expect(runs(table("30 2 * * *"), "2026-03-27T12:00:00Z", 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:30",
      "2026-03-30T00:30",
    ]);
  });
  test("jobs at 02:30 and 03:30 meet and are one run", () => {
    expect(runs(table("30 2,3 * * *"), "2026-03-29T00:00:00Z", 2)).toEqual(["2026-03-29T01:30", "2026-03-30T00:30"]);
  });
  test("an hourly job runs every hour that passes", () => {
    expect(runs(table("15 * * * *"), "2026-03-28T23:20:00Z", 4)).toEqual([
      "2026-03-29T00:15",
      "2026-03-29T01:15",
      "2026-03-29T02:15",
      "2026-03-29T03:15",
    ]);
  });
});

describe("Berlin, 25 October 2026: 02:00 to 03:00 comes twice", () => {
  test("a job at 02:30 runs the first time only", () => {
    expect(runs(table("30 2 * * *"), "2026-10-24T12:00:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });
  test("an hourly job runs in both", () => {
    expect(runs(table("15 * * * *"), "2026-10-24T23:20:00Z", 4)).toEqual([
      "2026-10-25T00:15",
      "2026-10-25T01:15",
      "2026-10-25T02:15",
      "2026-10-25T03:15",
    ]);
  });
});

test("an hourly job never waits longer than an hour, in a whole year of Berlin", () => {
  const hourly = table("15 * * * *");
  let last = nextRun(hourly, new Date("2026-01-01T00:00:00Z"));
  for (let count = 1; count < 365 * 24; count += 1) {
    const next = nextRun(hourly, last);
    expect(next.getTime() - last.getTime()).toBe(3_600_000);
    last = next;
  }
});

test.each(["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu"])(
  "a daily job runs once on each day of a year, %s",
  (zone) => {
    for (const year of [2011, 2018, 2026]) {
      const daily = table("30 2 * * *", zone);
      const all = nextRuns(daily, new Date(`${year}-01-01T12:00:00Z`), 364);
      const gaps = all.slice(1).map((run, index) => (run.getTime() - (all[index] as Date).getTime()) / 3_600_000);
      // Samoa left out 30 December 2011.
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(zone === "Pacific/Apia" && year === 2011 ? 0.01 : 22.9);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(25.1);
      expect(new Set(all.map((run) => run.getTime())).size).toBe(364);
    }
  },
);

test("the run before is the one that the run before it is followed by", () => {
  for (const cron of ["15 * * * *", "30 2 * * *", "*/7 1-3 * * *", "0 9 * * mon-fri", "0 0 1 * *"]) {
    const of = table(cron);
    for (const start of ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-06-01T00:00:00Z"]) {
      for (const run of nextRuns(of, new Date(start), 40)) {
        expect(previousRun(of, run)).toEqual(run);
        const before = previousRun(of, new Date(run.getTime() - 1));
        expect(nextRun(of, before)).toEqual(run);
      }
    }
  }
});

test("29 February is found from any year", () => {
  expect(runs(table("0 0 29 2 *", "UTC"), "2096-03-01T00:00:00Z", 1)).toEqual(["2104-02-29T00:00"]);
});

test.each([
  ["15 * * * *", 3600],
  ["30 2 * * *", 86_400],
  ["0 9 * * mon-fri", 3 * 86_400],
  ["0 8,20 * * *", 43_200],
])("the longest wait of %s is %d s", (cron, seconds) => {
  expect(longestGap(table(cron, "UTC"), new Date("2026-06-03T00:00:00Z"))).toBe(seconds);
});

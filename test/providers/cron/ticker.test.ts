import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { minuteTicker } from "../../../src/providers/cron/ticker.ts";

// The real node-cron; only the timers and the clock are ours.
beforeEach(() => void vi.useFakeTimers({ now: new Date("2026-06-10T10:00:30Z") }));
afterEach(() => void vi.useRealTimers());

const START = Date.UTC(2026, 5, 10, 10, 0, 30);
const minutes = (count: number) => vi.advanceTimersByTimeAsync(count * 60_000);

function counted() {
  let ticks = 0;
  let set = 0;
  const ticker = minuteTicker(() => (ticks += 1), {
    now: () => Date.now(),
    // What passed of real time: the fake clock less what it was set by.
    uptime: () => Date.now() - START - set,
  });
  return {
    ticker,
    taken: () => {
      const found = ticks;
      ticks = 0;
      return found;
    },
    setClock: (by: number) => {
      set += by;
      vi.setSystemTime(Date.now() + by);
    },
  };
}

test("it ticks once a minute and is silent after it was disposed of", async () => {
  const { ticker, taken } = counted();
  await minutes(10);
  expect(taken()).toBe(10);
  ticker[Symbol.dispose]();
  await minutes(10);
  expect(taken()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  ["back by a day", -86_400_000],
  ["back by an hour", -3_600_000],
  ["back by two minutes", -120_000],
  ["forward by an hour", 3_600_000],
  ["forward by a year", 365 * 86_400_000],
])("set %s it goes on", async (_name, by) => {
  const { ticker, taken, setClock } = counted();
  await minutes(3);
  taken();
  setClock(by);
  await minutes(10);
  const ticks = taken();
  expect(ticks).toBeGreaterThanOrEqual(10);
  expect(ticks).toBeLessThanOrEqual(12);
  ticker[Symbol.dispose]();
});

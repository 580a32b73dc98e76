import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { SummitError } from "../../src/core/errors.ts";
import type { LastBackup } from "../../src/schedule/last-backup.ts";
import { jitterOf, runSchedule, type ScheduleRunResult } from "../../src/schedule/run-schedule.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { timetable } from "../support/timetable.ts";

const SETTINGS = { job: "backup", table: timetable("15 * * * *", "UTC"), jitter: 0, catchUp: true, seed: "a" };

/** A schedule whose ticks are given by hand. */
class Bench {
  readonly out = fakeOutput();
  readonly #stop = new AbortController();
  readonly ended: Promise<ScheduleRunResult>;
  now = new Date("2026-06-10T10:10:00Z");
  last: LastBackup | undefined | Error;
  begun = 0;
  endJob: (ending?: Error) => void = () => {};
  disposed = false;
  #tick = (): void => {};

  constructor(last?: LastBackup | Error) {
    this.last = last ?? { id: "B0", at: new Date("2026-06-10T09:15:30Z") };
    this.ended = runSchedule(SETTINGS, {
      out: this.out,
      now: () => this.now,
      signal: this.#stop.signal,
      uptime: () => this.now.getTime() / 1000,
      ticker: async (onTick) => {
        this.#tick = onTick;
        return {
          [Symbol.dispose]: () => {
            this.disposed = true;
          },
        };
      },
      lastRun: async () => {
        if (this.last instanceof Error) throw this.last;
        return this.last;
      },
      runJob: () =>
        new Promise((resolve, reject) => {
          this.begun += 1;
          this.endJob = (ending) => (ending ? reject(ending) : resolve("B1"));
        }),
    });
  }

  async at(time: string): Promise<void> {
    await settled();
    this.now = new Date(`2026-06-10T${time}Z`);
    this.#tick();
    await settled();
  }

  stop(): void {
    this.#stop.abort();
  }
}

/** Everything that follows from what has happened so far. */
const settled = async (): Promise<void> => {
  for (let count = 0; count < 5; count += 1) await turn();
};

test("it runs at its time, tells a line each, and ends with the counts", async () => {
  const bench = new Bench();
  await bench.at("10:14:00");
  expect(bench.begun).toBe(0);
  await bench.at("10:15:00");
  expect(bench.begun).toBe(1);
  bench.endJob();
  await bench.at("10:16:00");
  bench.stop();
  expect(await bench.ended).toMatchObject({ succeeded: 1, failed: 0, skipped: 1 });
  expect(bench.disposed).toBe(true);
  expect(bench.out.notes).toEqual([
    "backup of 2026-06-10T09:15:00.000Z: skipped, B0 was taken since; next 2026-06-10T10:15:00.000Z",
    "backup of 2026-06-10T10:15:00.000Z: begins",
    "backup of 2026-06-10T10:15:00.000Z: B1; next 2026-06-10T11:15:00.000Z",
  ]);
});

test("the first Ctrl-C waits for the run that goes on and begins no other", async () => {
  const bench = new Bench();
  await bench.at("10:15:00");
  bench.stop();
  let over = false;
  void bench.ended.then(() => (over = true));
  await bench.at("11:15:00");
  expect(over).toBe(false);
  bench.endJob();
  expect(await bench.ended).toMatchObject({ succeeded: 1 });
  expect(bench.begun).toBe(1);
});

test("what a run throws is told, and the next one comes", async () => {
  const bench = new Bench();
  await bench.at("10:15:00");
  bench.endJob(new SummitError("store", "the store is gone"));
  await bench.at("10:16:00");
  expect(bench.out.warnings).toEqual([
    "backup of 2026-06-10T10:15:00.000Z FAILED: the store is gone; next 2026-06-10T11:15:00.000Z",
  ]);
  await bench.at("11:15:00");
  expect(bench.begun).toBe(2);
  bench.endJob();
  bench.stop();
  expect(await bench.ended).toMatchObject({ succeeded: 1, failed: 1 });
});

test("a restart after a sleep makes up for a run that the store has not, once", async () => {
  const bench = new Bench({ id: "B0", at: new Date("2026-06-10T07:15:30Z") });
  await bench.at("10:11:00");
  expect(bench.begun).toBe(1);
  expect(bench.out.notes[0]).toContain("begins, missed 55 min ago and made up for now");
  bench.endJob();
  await bench.at("10:12:00");
  expect(bench.begun).toBe(1);
  bench.stop();
  await bench.ended;
});

test("a store that does not answer is no reason not to try", async () => {
  const bench = new Bench(new SummitError("store", "no route"));
  await bench.at("10:11:00");
  expect(bench.begun).toBe(1);
  expect(bench.out.warnings[0]).toContain("no route");
  bench.endJob();
  bench.stop();
  await bench.ended;
});

test("two schedules of one project: what the other has taken is not taken again", async () => {
  const bench = new Bench();
  bench.last = { id: "B9", at: new Date("2026-06-10T10:15:02Z") };
  await bench.at("10:15:20");
  expect(bench.begun).toBe(0);
  expect(bench.out.notes.at(-1)).toContain("skipped, B9 was taken since");
  bench.stop();
  await bench.ended;
});

test("jitter is the same each time it is asked, below its limit, and differs between computers", () => {
  const slot = new Date("2026-06-10T10:15:00Z");
  const values = ["a", "b", "c", "d"].map((seed) => jitterOf({ ...SETTINGS, jitter: 60, seed }, slot));
  expect(values).toEqual(["a", "b", "c", "d"].map((seed) => jitterOf({ ...SETTINGS, jitter: 60, seed }, slot)));
  expect(new Set(values).size).toBe(4);
  for (const value of values) expect(value >= 0 && value < 60).toBe(true);
});

import { describe, expect, test } from "vitest";
import type { Timetable } from "../../src/core/cron/run-times.ts";
import { decide, type Handled } from "../../src/schedule/due.ts";
import { timetable } from "../support/timetable.ts";

/** A computer whose clock can be set, looked at each minute; times are "HH:MM" of 10 June 2026 unless dated. */
class Computer {
  readonly runs: string[] = [];
  readonly skips: string[] = [];
  #handled: Handled | undefined;
  #now: number;
  #uptime = 0;
  readonly #table: Timetable;
  readonly #catchUp: boolean;
  busy = false;

  constructor(cron: string, start: string, { catchUp = true, zone = "UTC" } = {}) {
    this.#table = timetable(cron, zone);
    this.#catchUp = catchUp;
    this.#now = at(start);
  }

  awake(minutes: number): this {
    for (let count = 0; count <= minutes; count += 1) {
      this.#look();
      this.#now += 60_000;
      this.#uptime += 60;
    }
    return this;
  }

  /** Time passes, nobody looks, and the clock that nobody sets stands still, as it does on Linux. */
  asleep(minutes: number): this {
    this.#now += minutes * 60_000;
    return this;
  }

  setClock(to: string): this {
    this.#now = at(to);
    return this;
  }

  #look(): void {
    const facts = { now: new Date(this.#now), uptime: this.#uptime, catchUp: this.#catchUp, running: this.busy };
    const { decision, handled } = decide(this.#table, facts, this.#handled);
    this.#handled = handled;
    const time = new Date(this.#now).toISOString().slice(5, 16);
    if (decision.kind === "run") this.runs.push(decision.late > 0 ? `${time} late` : time);
    if (decision.kind === "skip") this.skips.push(`${time} ${decision.why}`);
  }
}

const at = (text: string): number => Date.parse(text.length > 5 ? `2026-${text}:00Z` : `2026-06-10T${text}:00Z`);

test("each time of the timetable is run once", () => {
  expect(new Computer("15 * * * *", "10:15").awake(125).runs).toEqual(["06-10T10:15", "06-10T11:15", "06-10T12:15"]);
});

test("after a sleep over three times one run makes up for them", () => {
  const { runs } = new Computer("15 * * * *", "10:15").awake(5).asleep(220).awake(40);
  expect(runs).toEqual(["06-10T10:15", "06-10T14:01 late", "06-10T14:15"]);
});

test("a sleep that ends right at a time is no catch-up", () => {
  expect(new Computer("15 * * * *", "10:15").awake(5).asleep(54).awake(3).runs).toEqual(["06-10T10:15", "06-10T11:15"]);
});

test("with catch_up: false what was missed is left out, and said", () => {
  const { runs, skips } = new Computer("15 * * * *", "10:15", { catchUp: false }).awake(5).asleep(220).awake(40);
  expect(runs).toEqual(["06-10T10:15", "06-10T14:15"]);
  expect(skips).toEqual(["06-10T14:01 it was missed"]);
});

test("begun between two times, it makes up for the one before; whether that was needed the store tells", () => {
  expect(new Computer("15 * * * *", "10:40").awake(10).runs).toEqual(["06-10T10:40 late"]);
  expect(new Computer("15 * * * *", "10:40", { catchUp: false }).awake(10).runs).toEqual([]);
});

test("a run that has not ended is not overlapped, and not run twice after it", () => {
  const computer = new Computer("15 * * * *", "10:15").awake(5);
  computer.busy = true;
  computer.awake(70);
  computer.busy = false;
  computer.awake(80);
  expect(computer.runs).toEqual(["06-10T10:15", "06-10T12:15"]);
  expect(computer.skips).toEqual(["06-10T11:15 the run before it has not ended"]);
});

describe("a clock that is set back", () => {
  test("over a daily time: not a second run that day, and one on the next", () => {
    const computer = new Computer("30 2 * * *", "02:30")
      .awake(5)
      .setClock("02:20")
      .awake(30)
      .asleep(23 * 60)
      .awake(90);
    expect(computer.runs).toEqual(["06-10T02:30", "06-11T02:30"]);
    expect(computer.skips).toEqual(["06-10T02:30 it ran before the clock was set back"]);
  });
  test("by a day: hourly runs go on at their times", () => {
    const { runs } = new Computer("15 * * * *", "10:15").awake(5).setClock("06-09T10:21").awake(120);
    expect(runs).toEqual(["06-10T10:15", "06-09T11:15", "06-09T12:15"]);
  });
  test("by three hours: no time is run twice within half an hour", () => {
    const { runs } = new Computer("15 * * * *", "10:15").awake(2).setClock("07:14").awake(70);
    expect(runs).toEqual(["06-10T10:15", "06-10T08:15"]);
  });
});

describe("a clock that is set forward", () => {
  test("by a month: one run makes up for all of it, and it goes on", () => {
    const { runs } = new Computer("15 * * * *", "10:15").awake(5).setClock("07-10T10:21").awake(60);
    expect(runs).toEqual(["06-10T10:15", "07-10T10:21 late", "07-10T11:15"]);
  });
  test("and back again: no more runs than times", () => {
    const { runs } = new Computer("15 * * * *", "10:15")
      .awake(5)
      .setClock("06-11T10:21")
      .awake(5)
      .setClock("10:27")
      .awake(60);
    expect(runs).toEqual(["06-10T10:15", "06-11T10:21 late", "06-10T11:15"]);
  });
});

test("the night that has 02:30 twice and the one that has none each have one run", () => {
  const autumn = new Computer("30 2 * * *", "10-24T23:50", { zone: "Europe/Berlin", catchUp: false }).awake(180);
  expect(autumn.runs).toEqual(["10-25T00:30"]);
  const spring = new Computer("30 2 * * *", "03-29T00:00", { zone: "Europe/Berlin", catchUp: false }).awake(180);
  expect(spring.runs).toEqual(["03-29T01:30"]);
});

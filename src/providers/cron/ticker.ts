import { createTask, type ScheduledTask } from "node-cron";

/** Milliseconds between two looks at whether node-cron still ticks, and without a tick after which it does not. */
const LOOK = 15_000;
const SILENCE = 90_000;
/** Milliseconds by which the clock may move other than time passes before it counts as set. */
const TOLERANCE = 5_000;

export interface Clocks {
  /** Milliseconds since 1970, as the computer believes. */
  now(): number;
  /** Milliseconds of a clock that nobody sets. */
  uptime(): number;
}

const OWN: Clocks = { now: () => Date.now(), uptime: () => performance.now() };

/**
 * node-cron as a tick at each minute. It plans from the time it expects: set back by a day it would be silent for a
 * day, and set forward it would walk through every minute between. So it is begun anew when the clock was set.
 */
export function minuteTicker(onTick: () => void, clocks: Clocks = OWN): Disposable {
  let task: ScheduledTask;
  let ticked = clocks.uptime();
  let seen = { now: clocks.now(), uptime: clocks.uptime() };
  const tick = (): void => {
    ticked = clocks.uptime();
    onTick();
  };
  const begin = (): void => {
    task = createTask("* * * * *", tick, {
      timezone: "UTC",
      suppressMissedWarning: true,
      missedExecutionTolerance: 59_000,
    });
    void task.start();
  };
  const look = (): void => {
    const found = { now: clocks.now(), uptime: clocks.uptime() };
    const moved = found.now - seen.now - (found.uptime - seen.uptime);
    seen = found;
    if (Math.abs(moved) < TOLERANCE && found.uptime - ticked < SILENCE) return;
    void task.destroy();
    begin();
    tick();
  };
  begin();
  const watch = setInterval(look, LOOK);
  return {
    [Symbol.dispose]: () => {
      clearInterval(watch);
      void task.destroy();
    },
  };
}

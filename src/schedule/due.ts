import { previousRun, type Timetable } from "../core/cron/run-times.ts";

/** What one look at the clock decides from. */
export interface DueFacts {
  readonly now: Date;
  /** Seconds of a clock that nobody sets. */
  readonly uptime: number;
  readonly catchUp: boolean;
  readonly running: boolean;
}

/** What is remembered from one look to the next; nothing at first. */
export interface Handled {
  /** The time of the timetable that was seen to last: run, skipped or found to be covered. */
  readonly slot: Date;
  /** The one that was run last, and when by the clock that nobody sets. */
  readonly ran: { readonly slot: Date; readonly uptime: number } | undefined;
}

export type Decision =
  | { readonly kind: "wait" }
  /** `late`: seconds after its time. */
  | { readonly kind: "run"; readonly slot: Date; readonly late: number }
  | { readonly kind: "skip"; readonly slot: Date; readonly why: string };

/** Seconds after its time from which a run counts as missed: looks come once a minute. */
const LATE = 150;

/**
 * What is due at a look at the clock, and what to remember. Of several times that have passed since the last look only
 * the last one counts. A clock that is set back makes no time run twice that ran shortly before, and its later times
 * run as they come; one that is set forward is like a computer that slept.
 */
export function decide(
  table: Timetable,
  facts: DueFacts,
  before: Handled | undefined,
): { decision: Decision; handled: Handled } {
  const slot = previousRun(table, facts.now);
  const remember = (decision: Decision): { decision: Decision; handled: Handled } => ({
    decision,
    handled: {
      slot,
      ran: decision.kind === "run" ? { slot, uptime: facts.uptime } : before?.ran,
    },
  });
  const skip = (why: string) => remember({ kind: "skip", slot, why });
  if (before !== undefined && slot <= before.slot) return remember({ kind: "wait" });
  if (before?.ran !== undefined && slot <= before.ran.slot && ranShortlyBefore(table, slot, before.ran, facts))
    return skip("it ran before the clock was set back");
  if (facts.running) return skip("the run before it has not ended");
  const late = (facts.now.getTime() - slot.getTime()) / 1000;
  if (late > LATE && !facts.catchUp) return before === undefined ? remember({ kind: "wait" }) : skip("it was missed");
  return remember({ kind: "run", slot, late: late > LATE ? late : 0 });
}

/** Less than half of what lies between this time and the one before it. */
function ranShortlyBefore(table: Timetable, slot: Date, ran: { uptime: number }, { uptime }: DueFacts): boolean {
  const gap = slot.getTime() - previousRun(table, new Date(slot.getTime() - 1)).getTime();
  return uptime - ran.uptime < gap / 2000;
}

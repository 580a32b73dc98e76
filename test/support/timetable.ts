import { readCron } from "../../src/config/cron-expression.ts";
import type { Timetable } from "../../src/core/cron/run-times.ts";

export function timetable(cron: string, zone = "Europe/Berlin"): Timetable {
  const read = readCron(cron);
  if ("problem" in read) throw new Error(read.problem);
  return { times: read.times, zone };
}

import { expect, test } from "vitest";
import { readCron } from "../../src/config/cron-expression.ts";
import { plainCron } from "../../src/core/cron/cron-times.ts";
import { configOf, HEAD, problemsOf } from "./config-fixture.ts";

const ALL = `${HEAD}secrets: { ping_url: { env: PING } }
schedule: { backup: "15 * * * *", timezone: Europe/Berlin, jitter: 60s, catch_up: false }
notify: { ping: { secret: ping_url }, webhook: https://chat.example/hook/T0KEN, command: [mail, ops@example.org], on: always }
check: { warn_age: 2h, crit_age: 1d, size_drop: 30, verify_age: 8d }
`;

test("what is written arrives in the words of the code", () => {
  const { schedule, notify, check } = configOf(ALL);
  expect(schedule).toMatchObject({ timezone: "Europe/Berlin", jitter: 60, catchUp: false });
  expect(schedule.backup?.minutes).toEqual([15]);
  expect(schedule.backup?.hours).toHaveLength(24);
  expect(notify).toMatchObject({ ping: { secret: "ping_url" }, command: ["mail", "ops@example.org"], on: "always" });
  expect(check).toEqual({ warnAge: 7200, critAge: 86_400, sizeDrop: 30, verifyAge: 691_200 });
});

test("without the sections nothing is scheduled and nobody is told", () => {
  const { schedule, notify, check } = configOf(HEAD);
  expect(schedule).toEqual({ backup: undefined, timezone: "UTC", jitter: 0, catchUp: true });
  expect(notify).toEqual({ ping: undefined, webhook: undefined, command: undefined, on: "failure" });
  expect(check).toEqual({ warnAge: undefined, critAge: undefined, sizeDrop: 50, verifyAge: undefined });
});

test("a URL prints as nothing", () => {
  expect(JSON.stringify(configOf(ALL))).not.toContain("T0KEN");
});

test.each([
  [`schedule: { backup: "61 * * * *" }`, `schedule.backup: expected a cron expression such as "15 * * * *"`],
  [`schedule: { backup: "61 * * * *" }`, `: minute "61"`],
  [`schedule: { backup: "0 15 * * * *" }`, "schedule.backup: expected five cron fields"],
  [`schedule: { backup: hourly }`, "schedule.backup: expected five cron fields"],
  [`schedule: { backup: "0 0 L * *" }`, "is not known to every cron"],
  [`schedule: { backup: "0 0 * * 5#2" }`, "is not known to every cron"],
  [`schedule: { backup: "0 3 1 * 1" }`, `cron joins the two by "or"`],
  [`schedule: { backup: "0 0 30 2 *" }`, "schedule.backup: expected a cron expression"],
  [`schedule: { backup: "$(id) * * * *" }`, "schedule.backup: expected a cron expression"],
  [`schedule: { timezone: Europe/Berln }`, "schedule.timezone: expected a time zone such as Europe/Berlin"],
  [`schedule: { jitter: soon }`, "schedule.jitter: expected a duration such as 90s"],
  [`schedule: { jitter: 2h }`, "schedule.jitter: expected at most 1h"],
  [`schedule: { bakcup: "15 * * * *" }`, `schedule.bakcup: unknown key, did you mean "backup"?`],
  [`notify: { ping: { secret: nope } }`, `notify.ping.secret: there is no secret "nope"`],
  [`notify: { command: [] }`, "notify.command: expected at least 1 in the list"],
  [`check: { warn_age: 2h, crit_age: 1h }`, "check.crit_age: expected more than warn_age"],
])("%s: %s", (line, expected) => {
  const [problem = ""] = problemsOf(`${HEAD}${line}\n`);
  expect(problem).toMatch(/^summit\.yaml:6: /);
  expect(problem).toContain(expected);
});

test("a URL that is wrong is not repeated: it may be most of one that works", () => {
  const [problem] = problemsOf(`${HEAD}notify: { ping: "hc-ping.com/s3cr3t" }\n`);
  expect(problem).toContain("expected a URL that begins with https://");
  expect(problem).not.toContain("s3cr3t");
});

test.each([
  ["*/20 * * * *", "0,20,40 * * * *"],
  ["30 2 * * mon-fri", "30 2 * * 1,2,3,4,5"],
  ["0 22-1 * * *", "0 0,1,22,23 * * *"],
  ["0 0 * * 7", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["5 4 1 jan,jul *", "5 4 1 1,7 *"],
])("%s is %s to every cron", (text, plain) => {
  const read = readCron(text);
  expect("times" in read && plainCron(read.times)).toBe(plain);
});

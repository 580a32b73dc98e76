import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { nextRuns } from "../../src/core/cron/run-times.ts";
import { crontabBlock, sameRuns, withBlock } from "../../src/schedule/crontab.ts";
import { differences } from "../../src/schedule/install-view.ts";
import { onCalendar, serviceText, timerText } from "../../src/schedule/systemd-unit.ts";
import type { TimerJob } from "../../src/schedule/timer-job.ts";
import { timetable } from "../support/timetable.ts";

const JOB: TimerJob = {
  name: "summitctl-summit-backup",
  description: "summitctl backup of summit",
  table: timetable("30 2 * * mon-fri"),
  jitter: 60,
  catchUp: true,
  program: ["/usr/bin/node", "/opt/summitctl/bin/summitctl", "--config", '/home/ann/100% "ours" $HOME/summit.yaml'],
  user: "ann",
  environment: { HOME: "/home/ann", PATH: "/usr/bin:/bin" },
  environmentFile: undefined,
};

test("the service names its user, environment and program, and nothing in a path is read as something else", () => {
  const text = serviceText(JOB, { ofUser: false });
  expect(text).toContain("User=ann\nEnvironment=HOME=/home/ann\nEnvironment=PATH=/usr/bin:/bin\n");
  expect(text).toContain(
    'ExecStart=/usr/bin/node /opt/summitctl/bin/summitctl --config "/home/ann/100%% \\"ours\\" $$HOME/summit.yaml" backup --notify\n',
  );
  expect(serviceText(JOB, { ofUser: true })).not.toContain("User=");
  expect(serviceText({ ...JOB, environmentFile: "/etc/summit.env" }, { ofUser: false })).toContain(
    "EnvironmentFile=/etc/summit.env\n",
  );
});

test("the timer has zone, jitter and catch-up", () => {
  expect(timerText(JOB)).toContain(
    "OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 02:30:00 Europe/Berlin\nAccuracySec=1s\nRandomizedDelaySec=60\nPersistent=true\n",
  );
});

const analyze = (...args: string[]) => execaSync("systemd-analyze", args, { reject: false, env: { TZ: "UTC" } });
const hasSystemd = analyze("--version").exitCode === 0;

describe.skipIf(!hasSystemd)("systemd reads what was written as it was meant", () => {
  test.each([
    ["15 * * * *", "UTC"],
    ["15 * * * *", "Europe/Berlin"],
    ["30 2 * * mon-fri", "Europe/Berlin"],
    ["*/20 1-3,22 * * *", "America/New_York"],
    ["0 0 1 jan,jul *", "UTC"],
    ["5 4 * * 0", "Asia/Kathmandu"],
  ])("%s, %s", (cron, zone) => {
    const table = timetable(cron, zone);
    const { stdout, exitCode } = analyze(
      "calendar",
      "--iterations=5",
      "--base-time=2026-06-03 00:00:00 UTC",
      onCalendar(table),
    );
    expect(exitCode).toBe(0);
    const theirs = [...stdout.matchAll(/(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w+ (\S+) (\S+) UTC/g)].map(
      ([, day, time]) => `${day}T${time}.000Z`,
    );
    const ours = nextRuns(table, new Date("2026-06-03T00:00:00Z"), 5).map((run) => run.toISOString());
    expect([...new Set(theirs)]).toEqual(ours);
  });
});

describe("crontab", () => {
  const block = crontabBlock(JOB);
  test("a line that cron and sh read as it was meant", () => {
    expect(block.split("\n")[1]).toBe(
      `30 2 * * 1,2,3,4,5 HOME=/home/ann PATH=/usr/bin:/bin /usr/bin/node /opt/summitctl/bin/summitctl --config '/home/ann/100\\% "ours" $HOME/summit.yaml' backup --notify`,
    );
  });
  test("it is added once, replaced in its place, and taken away without a trace", () => {
    const own = "MAILTO=ann\n0 1 * * * true\n";
    const once = withBlock(own, JOB.name, block);
    expect(once).toBe(`${own}${block}`);
    expect(withBlock(once, JOB.name, block)).toBe(once);
    const after = `${once}5 5 * * * false\n`;
    const changed = withBlock(after, JOB.name, crontabBlock({ ...JOB, table: timetable("0 4 * * *") }));
    expect(changed).toContain("0 4 * * * HOME=");
    expect(changed).not.toContain("30 2 ");
    expect(withBlock(changed, JOB.name, undefined)).toBe(`${own}5 5 * * * false\n`);
    expect(withBlock(own, JOB.name, undefined)).toBe(own);
    expect(withBlock("0 1 * * * true", JOB.name, block)).toBe(`0 1 * * * true\n${block}`);
  });
  test("cron's own zone matters to a time of day, and not to every hour where zones are whole hours apart", () => {
    const now = new Date("2026-06-03T00:00:00Z");
    expect(sameRuns(timetable("30 2 * * *"), "UTC", now)).toBe(false);
    expect(sameRuns(timetable("30 2 * * *", "UTC"), "Africa/Abidjan", now)).toBe(true);
    expect(sameRuns(timetable("15 * * * *"), "UTC", now)).toBe(true);
    expect(sameRuns(timetable("15 * * * *", "Asia/Kathmandu"), "UTC", now)).toBe(false);
    // The same in summer only.
    expect(sameRuns(timetable("30 2 * * *", "Europe/London"), "UTC", new Date("2026-12-01T00:00:00Z"))).toBe(false);
  });
});

test("differences show what goes and what comes", () => {
  expect(differences("a\nb\nc\n", "a\nB\nc\nd\n")).toEqual(["- b", "- c", "+ B", "+ c", "+ d"]);
  expect(differences("", "a\n")).toEqual(["+ a"]);
  expect(differences("a\nb\n", "b\n")).toEqual(["- a"]);
});

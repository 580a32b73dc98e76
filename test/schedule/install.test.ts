import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Argv } from "../../src/core/argv.ts";
import type { LocalRun, RunLocal } from "../../src/core/deps.ts";
import { runLocal } from "../../src/providers/local/run-local.ts";
import { bareArgv } from "../../src/schedule/bare-environment.ts";
import { installTimer, uninstallTimer } from "../../src/schedule/install.ts";
import type { TimerJob } from "../../src/schedule/timer-job.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { timetable } from "../support/timetable.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summitctl-timer-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program in place of summitctl: its proof says what it finds in its environment. */
const FAKE = `
last=""; for word in "$@"; do last=$word; done
[ "$last" = prove ] || exit 9
ok=false; [ "\${PING_URL:-}" = "" ] || ok=true
printf '{"schema":"summitctl.event.v1"}\\n'
printf '{"schema":"summitctl.schedule-proof.v1","ok":%s,"checks":[{"name":"secret ping","ok":%s,"message":"HOME=%s variables: %s"}]}\\n' \\
  $ok $ok "$HOME" "$(env | cut -d= -f1 | sort | tr '\\n' ' ')"
`;

async function jobIn(over: Partial<TimerJob> = {}): Promise<TimerJob> {
  const script = join(folder, "summitctl it's 100%");
  await writeFile(script, FAKE);
  await writeFile(join(folder, "timer.env"), "PING_URL=http://127.0.0.1/ping\n", { mode: 0o600 });
  return {
    name: "summitctl-summit-backup",
    description: "summitctl backup of summit",
    table: timetable("15 * * * *"),
    jitter: 0,
    catchUp: true,
    program: ["/bin/sh", script, "--config", "/p/summit.yaml"],
    user: "root",
    environment: { HOME: "/home/ann", PATH: "/usr/bin:/bin" },
    environmentFile: join(folder, "timer.env"),
    ...over,
  };
}

/** The real programs of this computer, but a crontab of our own. */
class OwnCron {
  crontab: string | undefined;
  written = 0;
  readonly out = fakeOutput();
  readonly questions: string[] = [];
  agrees = true;
  readonly #real = runLocal(new AbortController().signal);

  readonly local: RunLocal = async (argv: Argv, options): Promise<LocalRun> => {
    if (argv[0] !== "crontab") return await this.#real(argv, options);
    if (argv[1] === "-") {
      this.crontab = options?.input ?? "";
      this.written += 1;
      return { code: 0, stdout: "", stderr: "" };
    }
    if (this.crontab === undefined) return { code: 1, stdout: "", stderr: "no crontab for ann" };
    return { code: 0, stdout: this.crontab, stderr: "" };
  };

  get deps() {
    return {
      out: this.out,
      local: this.local,
      now: () => new Date("2026-06-03T00:00:00Z"),
      prompt: {
        confirm: async (question: string) => {
          this.questions.push(question);
          return this.agrees;
        },
        typedName: async () => false,
      },
    };
  }
}

const REQUEST = { kind: "crontab", places: { env: {} }, zone: "UTC" } as const;

test("what the shell has and the timer has not fails the proof, and nothing is written", async () => {
  const cron = new OwnCron();
  process.env["PING_URL"] = "http://of-this-shell/";
  try {
    const job = await jobIn({ environmentFile: undefined });
    await expect(installTimer(job, REQUEST, cron.deps)).rejects.toMatchObject({
      kind: "check",
      message: "a backup run by cron would fail; nothing was installed",
      details: [
        expect.stringMatching(/^secret ping: HOME=\/home\/ann variables: HOME LOGNAME (OLDPWD )?PATH PWD SHELL/),
      ],
      hint: expect.stringContaining("schedule install --env-file FILE"),
    });
  } finally {
    delete process.env["PING_URL"];
  }
  expect(cron.written).toBe(0);
  expect(cron.questions).toEqual([]);
});

test("a program that cannot be run at all shows its own words and the line to try", async () => {
  const job = await jobIn({ program: ["/no/such/node", "summitctl"] });
  await expect(installTimer(job, REQUEST, new OwnCron().deps)).rejects.toMatchObject({
    kind: "check",
    message: "summitctl cannot run as cron would run it; nothing was installed",
    details: [expect.stringContaining("/no/such/node")],
    hint: expect.stringMatching(/^env -i /),
  });
});

test("installed, shown and asked for once; again it changes nothing; a change is a change; and away", async () => {
  const cron = new OwnCron();
  cron.crontab = "0 1 * * * true\n";
  const job = await jobIn();
  expect(await installTimer(job, REQUEST, cron.deps)).toMatchObject({ changed: true, files: ["crontab"] });
  expect(cron.questions).toEqual(["set up summitctl-summit-backup (crontab)?"]);
  expect(JSON.stringify(cron.out.shown[0]?.view)).toContain("+ 15 * * * * set -a; . ");
  expect(cron.crontab).toContain("0 1 * * * true\n# BEGIN summitctl-summit-backup");
  expect(await installTimer(job, REQUEST, cron.deps)).toMatchObject({ changed: false, files: [] });
  expect(cron.written).toBe(1);
  await installTimer(await jobIn({ table: timetable("20 * * * *") }), REQUEST, cron.deps);
  expect(cron.crontab?.match(/BEGIN/g)).toHaveLength(1);
  const places = { places: { env: { HOME: folder } } };
  expect(await uninstallTimer(job.name, places, cron.deps)).toMatchObject({ changed: true, kind: "crontab" });
  expect(cron.crontab).toBe("0 1 * * * true\n");
  expect(await uninstallTimer(job.name, places, cron.deps)).toMatchObject({ changed: false, kind: null });
});

test("not agreed to, nothing is written", async () => {
  const cron = new OwnCron();
  cron.agrees = false;
  await expect(installTimer(await jobIn(), REQUEST, cron.deps)).rejects.toMatchObject({ kind: "check" });
  expect(cron.crontab).toBeUndefined();
});

test("cron in another zone is refused before anything is tried", async () => {
  const job = await jobIn({ table: timetable("30 2 * * *") });
  await expect(installTimer(job, REQUEST, new OwnCron().deps)).rejects.toMatchObject({
    kind: "check",
    message: expect.stringContaining("cron goes by this computer's time zone, UTC"),
  });
});

describe("systemd", () => {
  test("where it does not run it is said, with what to do", async () => {
    const places = { env: {}, booted: join(folder, "no"), systemUnits: folder };
    await expect(
      installTimer(await jobIn(), { ...REQUEST, kind: "systemd", places }, new OwnCron().deps),
    ).rejects.toMatchObject({ kind: "check", hint: expect.stringContaining("--crontab") });
  });
  test("the proof runs as the unit's user, with its file, and waits", async () => {
    const job = await jobIn({ user: "ann" });
    const line = bareArgv(job, "systemd").join(" ");
    expect(line).toContain("systemd-run --property=User=ann --wait --pipe --collect --quiet --setenv=HOME=/home/ann");
    expect(line).toContain(`--property=EnvironmentFile=${join(folder, "timer.env")} /bin/sh`);
    expect(bareArgv(job, "systemd-user")).toContain("--user");
  });
  test("refused by systemctl half-way, the next run completes it", async () => {
    const cron = new OwnCron();
    const called: string[] = [];
    let refuses = true;
    const deps = {
      ...cron.deps,
      local: async (argv: Argv, options: Parameters<RunLocal>[1]): Promise<LocalRun> => {
        const done = { code: 0, stdout: "", stderr: "" };
        if (argv[0] === "systemctl") {
          called.push(argv.slice(1).join(" "));
          return refuses ? { ...done, code: 1, stderr: "Access denied" } : done;
        }
        if (argv[0] === "systemd-analyze") return done;
        // What stands behind the options of systemd-run.
        return await cron.local(["env", "PING_URL=x", ...argv.slice(argv.indexOf("/bin/sh"))], options);
      },
    };
    const units = join(folder, "units");
    const request = { ...REQUEST, kind: "systemd", places: { env: {}, booted: folder, systemUnits: units } } as const;
    await expect(installTimer(await jobIn(), request, deps)).rejects.toMatchObject({ details: ["Access denied"] });
    expect((await readdir(units)).sort()).toEqual(["summitctl-summit-backup.service", "summitctl-summit-backup.timer"]);
    refuses = false;
    called.length = 0;
    expect(await installTimer(await jobIn(), request, deps)).toMatchObject({ changed: false });
    expect(called).toEqual(["daemon-reload", "enable --quiet --now summitctl-summit-backup.timer"]);
  });
});

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../config/replace-file.ts";
import type { Argv } from "../core/argv.ts";
import { toShell } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { type BarePlace, proveInBareEnvironment } from "./bare-environment.ts";
import { crontabBlock, sameRuns, withBlock } from "./crontab.ts";
import { type Change, changeView, type InstallResult } from "./install-view.ts";
import { onCalendar, serviceText, timerText } from "./systemd-unit.ts";
import type { TimerJob } from "./timer-job.ts";
import {
  installedTimers,
  isThere,
  readCrontab,
  type TimerKind,
  type TimerPlaces,
  textOf,
  unitFolder,
} from "./timer-places.ts";

export interface InstallRequest {
  /** Undefined: systemd where it runs, else cron. */
  readonly kind: TimerKind | undefined;
  readonly places: TimerPlaces;
  /** Zone of this computer, by which cron goes. */
  readonly zone: string;
}

type InstallDeps = Pick<Deps, "out" | "prompt" | "now" | "local">;

/**
 * Sets up the timer of this computer, after it was proven that a backup would work in its environment. Again, it
 * changes what differs, or nothing. Rejects with kind `check` when it would not work or was not agreed to.
 */
export async function installTimer(job: TimerJob, request: InstallRequest, deps: InstallDeps): Promise<InstallResult> {
  const kind = request.kind ?? ((await systemdRuns(request.places)) ? "systemd" : "crontab");
  const timer = timerOf(kind, job, request);
  const notes = await timer.check(deps);
  const task = deps.out.task("proving that a backup works where the timer runs it");
  const checks = await proveInBareEnvironment(job, timer.place, deps).catch((error: unknown) => {
    task.fail();
    throw error;
  });
  task.done();
  for (const { name, ok, message } of checks) if (ok === "warning") deps.out.warn(`${name}: ${message}`);
  const changes = (await timer.changes(deps)).filter(({ before, after }) => before !== after);
  const result = { schema: "summitctl.schedule-install.v1", kind, name: job.name, notes } as const;
  if (changes.length > 0) {
    deps.out.show({ schema: "summitctl.schedule-changes.v1", changes }, changeView);
    await agree(`set up ${job.name} (${kind})?`, deps);
  }
  await timer.apply(changes, deps);
  return { ...result, changed: changes.length > 0, files: changes.map(({ file }) => file) };
}

/** Takes it away, whichever kinds of it are set up. Repeatable. */
export async function uninstallTimer(
  name: string,
  { places }: Pick<InstallRequest, "places">,
  deps: InstallDeps,
): Promise<InstallResult> {
  const kinds = await installedTimers(name, places, deps.local);
  const result = { schema: "summitctl.schedule-install.v1", name, kind: kinds[0] ?? null, notes: [] } as const;
  if (kinds.length === 0) return { ...result, changed: false, files: [] };
  await agree(`remove ${name} (${kinds.join(", ")})?`, deps);
  const files: string[] = [];
  for (const kind of kinds) {
    if (kind === "crontab") {
      await writeCrontab(withBlock(await readCrontab(deps.local), name, undefined), deps);
      files.push("crontab");
      continue;
    }
    await mustRun(systemctl(kind, "disable", "--now", `${name}.timer`), deps);
    for (const unit of [`${name}.timer`, `${name}.service`]) {
      const file = join(unitFolder(kind, places), unit);
      await rm(file, { force: true });
      files.push(file);
    }
    await mustRun(systemctl(kind, "daemon-reload"), deps);
  }
  return { ...result, changed: true, files };
}

interface Timer {
  readonly place: BarePlace;
  /** Throws when this computer cannot run it; resolves with what to know about it. */
  check(deps: InstallDeps): Promise<readonly string[]>;
  changes(deps: InstallDeps): Promise<readonly Change[]>;
  apply(changes: readonly Change[], deps: InstallDeps): Promise<void>;
}

const timerOf = (kind: TimerKind, job: TimerJob, request: InstallRequest): Timer =>
  kind === "crontab" ? cronTimer(job, request) : systemdTimer(kind, job, request);

function systemdTimer(kind: "systemd" | "systemd-user", job: TimerJob, { places }: InstallRequest): Timer {
  const ofUser = kind === "systemd-user";
  const folder = unitFolder(kind, places);
  const texts = { [`${job.name}.service`]: serviceText(job, { ofUser }), [`${job.name}.timer`]: timerText(job) };
  return {
    place: kind,
    check: async (deps) => {
      if (!(await systemdRuns(places)))
        throw new SummitError("check", "systemd does not run on this computer", {
          hint: "summitctl schedule install --crontab    # or leave running: summitctl schedule run",
        });
      if (!ofUser && process.getuid?.() !== 0)
        throw new SummitError("check", "units of the system are written by root only", {
          hint: "summitctl schedule install --user    # or with sudo",
        });
      await mustRun(["systemd-analyze", "calendar", onCalendar(job.table)], deps);
      const linger = ofUser
        ? await deps.local(["loginctl", "show-user", job.user, "-p", "Linger", "--value"])
        : undefined;
      return linger !== undefined && linger.stdout.trim() !== "yes"
        ? [`it runs only while you are logged in; for ever: loginctl enable-linger ${job.user}`]
        : [];
    },
    changes: async () =>
      await Promise.all(
        Object.entries(texts).map(async ([unit, after]): Promise<Change> => {
          const file = join(folder, unit);
          return { file, before: await textOf(file), after };
        }),
      ),
    apply: async (changes, deps) => {
      await mkdir(folder, { recursive: true });
      for (const { file, after } of changes) await replaceFile(file, after);
      // Also when nothing differs: the one before may have been cut here.
      await mustRun(systemctl(kind, "daemon-reload"), deps);
      await mustRun(systemctl(kind, "enable", "--quiet", "--now", `${job.name}.timer`), deps);
      // A timer that runs keeps the times it had.
      if (changes.length > 0) await mustRun(systemctl(kind, "restart", `${job.name}.timer`), deps);
    },
  };
}

function cronTimer(job: TimerJob, { zone }: InstallRequest): Timer {
  return {
    place: "cron",
    check: async ({ now }) => {
      if (!sameRuns(job.table, zone, now()))
        throw new SummitError(
          "check",
          `cron goes by this computer's time zone, ${zone}, and would run "${job.table.times.text}" at other times than ${job.table.zone}`,
          { hint: `summitctl schedule install --systemd    # or in summit.yaml: schedule: { timezone: ${zone} }` },
        );
      return [
        ...(job.catchUp ? ["cron does not make up for runs that were missed"] : []),
        ...(job.jitter > 0 ? ["cron has no jitter"] : []),
      ];
    },
    changes: async ({ local }) => {
      const before = await readCrontab(local);
      return [{ file: "crontab", before, after: withBlock(before, job.name, crontabBlock(job)) }];
    },
    apply: async (changes, deps) => {
      for (const { after } of changes) await writeCrontab(after, deps);
    },
  };
}

async function agree(question: string, { prompt }: InstallDeps): Promise<void> {
  if (await prompt.confirm(question)) return;
  throw new SummitError("check", "not agreed to, nothing was changed", { hint: "run it again with --yes" });
}

/** As sd_booted(3) finds out. */
const systemdRuns = ({ booted = "/run/systemd/system" }: TimerPlaces): Promise<boolean> => isThere(booted);

const systemctl = (kind: "systemd" | "systemd-user", ...args: string[]): Argv => [
  "systemctl",
  ...(kind === "systemd-user" ? ["--user"] : []),
  ...args,
];

const writeCrontab = (text: string, deps: InstallDeps): Promise<void> => mustRun(["crontab", "-"], deps, text);

async function mustRun(argv: Argv, { local }: InstallDeps, input = ""): Promise<void> {
  const { code, stderr } = await local(argv, { input, timeout: 60 });
  if (code === 0) return;
  const how = code === undefined ? "could not be run" : `ended with exit status ${code}`;
  throw new SummitError("check", `${toShell(argv)} ${how}`, {
    details: stderr.trim().split("\n").filter(Boolean).slice(-5),
    hint: toShell(argv),
  });
}

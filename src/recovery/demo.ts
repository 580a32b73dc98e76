import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toShell } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { takePidLock } from "../core/pid-lock.ts";
import type { View } from "../core/ports/output.ts";
import { durationText } from "../core/time.ts";
import { runBootstrap } from "../environment/bootstrap.ts";
import { openDatabaseHost } from "../environment/database-host.ts";
import { runDestroy } from "../environment/destroy.ts";
import type { Project } from "../environment/project.ts";
import { lookAt, machineOf, reach } from "../environment/reach.ts";
import { type DemoPages, fetchSchedule } from "./demo-pages.ts";
import { writeDemoProject } from "./demo-project.ts";
import { runFailover } from "./failover.ts";
import type { FailoverResult } from "./failover-view.ts";
import { compareDigests, digestRows, type RowDigests } from "./row-digests.ts";
import { takeBackup } from "./take-backup.ts";
import { type Moment, Timeline } from "./timeline.ts";

export interface DemoRequest {
  /** Where the demo's project and store live; emptied at the start. */
  readonly folder: string;
  readonly example: string;
  /** As `generate_schedule` takes it: `20MB`. */
  readonly size: string;
  readonly keep: boolean;
}

/** A project of its own with everything that acts on it. */
export interface DemoSession extends Deps {
  project(): Promise<Project>;
}

export interface DemoDeps extends Pick<Deps, "out" | "now" | "signal"> {
  /** Dependencies for another summit.yaml; with a signal, that one in place of the command's. */
  at(configFile: string, signal?: AbortSignal): DemoSession;
}

export interface DemoResult {
  readonly schema: "summitctl.demo.v1";
  readonly recoveredSeconds: number;
  readonly dataAgeSeconds: number;
  readonly rowsEqual: number;
  readonly rowsTotal: number;
  readonly pageEqual: boolean;
  /** Where the demo is left running; empty without `--keep`. */
  readonly urls: readonly string[];
  readonly configFile: string;
  readonly timeline: readonly Moment[];
  readonly failover: readonly Moment[];
}

const ENVIRONMENTS = ["production", "spare"] as const;

/**
 * The main job on this computer, on real parts: a stack is built, filled and backed up; all its machines are cut off
 * at once; a fresh one is built and the backup restored; the page and every row are compared. Cleans up after itself,
 * also when it is interrupted, and first what an earlier one left.
 */
export async function runDemo(request: DemoRequest, deps: DemoDeps): Promise<DemoResult> {
  // Its machines have fixed names, so that the next demo finds what a killed one left: one at a time.
  const lockFile = join(tmpdir(), `summitctl-demo-${process.getuid?.() ?? 0}.lock`);
  await using _lock = await takePidLock(lockFile, { what: "another demo", wait: 0, signal: deps.signal });
  const { folder, keep } = request;
  const configFile = await writeDemoProject(folder, request.example);
  await cleanUp(configFile, deps, "remove what an earlier demo left");
  let kept = false;
  try {
    const result = await play(request, configFile, deps);
    kept = keep;
    return result;
  } finally {
    if (!kept) {
      await cleanUp(configFile, deps, "clean up");
      await rm(folder, { recursive: true, force: true });
    }
  }
}

interface Seen {
  readonly rows: RowDigests;
  readonly page: DemoPages;
}

async function play({ size, keep }: DemoRequest, configFile: string, deps: DemoDeps): Promise<DemoResult> {
  const session = deps.at(configFile);
  const timeline = new Timeline(deps.now);
  const project = await session.project();
  const { urls } = await timeline.record("bootstrap production", () =>
    runBootstrap({ project, environment: "production", upgrade: false }, session),
  );
  const url = urls.find((candidate) => candidate.startsWith("http://"));
  if (url === undefined)
    throw new SummitError("verification", "the demo's address cannot be reached from this computer", {
      hint: "summitctl doctor",
    });
  await timeline.record(`load ${size} of schedule`, () => loadData(project, size, session));
  // The lock that bootstrap wrote is part of the project from here on.
  const pinned = await deps.at(configFile).project();
  const before = await timeline.record("look at every row and a page", () =>
    look({ project: pinned, environment: "production", url }, session),
  );
  await timeline.record("backup", () => takeBackup(pinned, "production", session));
  await timeline.record("outage: cut every machine of production off", () => outage(project, url, session));
  const recovery = await timeline.record("failover to spare", () =>
    runFailover(
      { project: pinned, to: undefined, backup: undefined, force: false, reason: undefined },
      { ...session, prompt: AGREED },
    ),
  );
  const after = await timeline.record("look at every row and the page again", () =>
    look({ project: pinned, environment: "spare", url }, session, before.page.schedule),
  );
  return judge({ before, after, recovery, timeline, urls: keep ? urls : [], configFile });
}

/** The demo asks nothing: what it acts on is its own. */
const AGREED: Deps["prompt"] = { confirm: async () => true, typedName: async () => true };

async function loadData(project: Project, size: string, deps: DemoSession): Promise<void> {
  const task = deps.out.task(`load ${size} of seeded schedule data`);
  try {
    const standing = await lookAt(project, "production", deps);
    await using shell = await reach(standing, machineOf(standing, "summit/0"), 5, deps);
    await shell.must(["manage-summit", "generate_schedule", "--size", size, "--seed", "2012"], {
      signal: deps.signal,
      timeout: 1800,
    });
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

async function look(
  at: { project: Project; environment: string; url: string },
  deps: DemoSession,
  schedule?: string,
): Promise<Seen> {
  const { project, environment, url } = at;
  await using host = await openDatabaseHost(project, environment, deps);
  const [database = ""] = host.databases;
  return {
    rows: await digestRows(host.shell, database, deps.signal),
    page: await fetchSchedule(url, deps.http, schedule),
  };
}

/** Every machine at once, without a word: what a cloud that fails does. The site must really be gone then. */
async function outage(project: Project, url: string, deps: DemoSession): Promise<void> {
  const task = deps.out.task("outage: every machine of production is cut off");
  const provider = await deps.machines("production");
  const machines = await provider.list({ project: project.config.project, environment: "production" });
  await Promise.all(machines.map((machine) => provider.stop(machine)));
  const answer = await deps.http({ url, timeout: 2 }).catch(() => undefined);
  if (answer?.status === 200) {
    task.fail();
    throw new SummitError("verification", `${url} still answers after all machines of production were stopped`, {
      hint: "summitctl status",
    });
  }
  task.done(`${url} no longer answers`);
}

function judge(seen: {
  before: Seen;
  after: Seen;
  recovery: FailoverResult;
  timeline: Timeline;
  urls: readonly string[];
  configFile: string;
}): DemoResult {
  const { before, after, recovery, timeline, urls, configFile } = seen;
  const { equal, total, differing } = compareDigests(before.rows, after.rows);
  if (differing.length > 0)
    throw new SummitError(
      "verification",
      `after the failover ${differing.length} tables differ: ${differing.join(", ")}`,
      { hint: "run the demo again with --keep and look" },
    );
  if (before.page.html !== after.page.html)
    throw new SummitError("verification", `the page ${before.page.schedule} is another one after the failover`, {
      hint: "run the demo again with --keep and look",
    });
  return {
    schema: "summitctl.demo.v1",
    recoveredSeconds: recovery.rtoSeconds,
    dataAgeSeconds: recovery.dataAgeSeconds,
    rowsEqual: equal,
    rowsTotal: total,
    pageEqual: true,
    urls,
    configFile,
    timeline: timeline.moments,
    failover: recovery.timeline,
  };
}

/** Also after Ctrl-C: it must not be cut by the very signal that called for it. */
async function cleanUp(configFile: string, deps: DemoDeps, title: string): Promise<void> {
  const session = deps.at(configFile, new AbortController().signal);
  const project = await session.project();
  const machines = await (await session.machines("production")).list({ project: project.config.project });
  if (machines.length === 0) {
    await (await session.address("production")).remove(project.config.project);
    return;
  }
  const task = deps.out.task(title);
  const quiet = {
    ...session,
    prompt: AGREED,
    out: { ...silentOutput(deps), warn: (line: string) => deps.out.warn(line) },
  };
  try {
    for (const environment of ENVIRONMENTS) await runDestroy({ project, environment, confirm: environment }, quiet);
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}

const silentOutput = ({ out }: DemoDeps): Deps["out"] => ({
  result: (value, view) => out.result(value, view),
  show: () => undefined,
  note: () => undefined,
  warn: () => undefined,
  debug: (line) => out.debug(line),
  task: () => ({ progress: () => undefined, done: () => undefined, fail: () => undefined }),
});

export const demoView = ({
  timeline,
  failover,
  urls,
  configFile,
  recoveredSeconds,
  dataAgeSeconds,
  rowsEqual,
  rowsTotal,
}: DemoResult): View => [
  { title: "the demo" },
  {
    head: ["at", "took", "what"],
    rows: timeline.map(({ name, from, to }) => [`+${from.toFixed(1)} s`, durationText(to - from), name]),
  },
  { title: "the failover in it" },
  {
    head: ["at", "took", "step"],
    rows: failover.map(({ name, from, to }) => [`+${from.toFixed(1)} s`, durationText(to - from), name]),
  },
  ...(urls.length === 0
    ? []
    : [
        { text: `left running: ${urls.join(" ")}` },
        { text: `look at it: ${toShell(["summitctl", "--config", configFile, "status"])}` },
        {
          text: `take it away: ${ENVIRONMENTS.map((name) => toShell(["summitctl", "--config", configFile, "destroy", "-e", name, "--confirm", name])).join(" && ")}`,
        },
      ]),
  {
    text: `recovered in ${recoveredSeconds.toFixed(1)} s, data age ${dataAgeSeconds.toFixed(1)} s, ${rowsEqual} of ${rowsTotal} rows`,
  },
];

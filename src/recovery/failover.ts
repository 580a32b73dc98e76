import { databaseMembers, dataTime } from "../backup/manifest.ts";
import { runRestore } from "../backup/run-restore.ts";
import { openSqlSession } from "../backup/sql-session.ts";
import { databaseExists } from "../backup/swap-databases.ts";
import { toShell } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf, SummitError } from "../core/errors.ts";
import { HEALTH_PATIENCE, takeAddress } from "../environment/bootstrap.ts";
import type { Fleet } from "../environment/fleet.ts";
import { commitGeneration, type Generation, liveGeneration } from "../environment/generations.ts";
import { writePins } from "../environment/pinning.ts";
import { prepareFleet } from "../environment/prepare-fleet.ts";
import { type StateStore, stateStore } from "../environment/state.ts";
import { databasesOf, entryService, type StackService } from "../stack/stack.ts";
import { askFromInside, askFromOutside } from "./ask-page.ts";
import { type FailoverFacts, type FailoverRequest, gatherFacts } from "./failover-facts.ts";
import { type FailoverPlan, otherBackupHint, planFailover, planView } from "./failover-plan.ts";
import type { FailoverResult } from "./failover-view.ts";
import { fence } from "./fence.ts";
import { takeBackup } from "./take-backup.ts";
import { Timeline } from "./timeline.ts";

export type FailoverDeps = Pick<
  Deps,
  | "out"
  | "prompt"
  | "now"
  | "signal"
  | "version"
  | "machines"
  | "address"
  | "stores"
  | "connector"
  | "trees"
  | "secret"
  | "lock"
  | "http"
  | "identities"
>;

/** What would be done, for `--dry-run`. Changes nothing. */
export async function showPlan(request: FailoverRequest, deps: FailoverDeps): Promise<FailoverPlan> {
  return planFailover(await gatherFacts(request, deps), request);
}

/**
 * Builds the target fresh, restores into it, proves it, and moves the traffic. Cut anywhere, the same command goes
 * on: every step tells by the effect whether it was done. Nothing of the old environment is touched before the new
 * one has proved itself; the old one's machines are stopped, never removed.
 */
export async function runFailover(request: FailoverRequest, deps: FailoverDeps): Promise<FailoverResult> {
  const facts = await gatherFacts(request, deps);
  const plan = planFailover(facts, request);
  deps.out.show(plan, planView);
  refuseBlocked(plan);
  if (!(await deps.prompt.confirm(`fail over from "${plan.from}" to "${plan.to}"?`))) {
    throw new SummitError("check", "not agreed to, nothing was changed", { hint: "summitctl failover" });
  }
  await using _to = await deps.lock(facts.to, "failover");
  await using _from = await deps.lock(facts.from, "failover");
  await checkUnmoved(facts, deps);
  return await new FailoverRun(request, facts, plan, deps).run();
}

/** Throws kind `check` with the first of what stops the plan. */
export function refuseBlocked({ blockers }: FailoverPlan): void {
  const [first, ...more] = blockers;
  if (first === undefined) return;
  throw new SummitError("check", first.message, { hint: first.hint, details: more.map(({ message }) => message) });
}

/** While the question stood, somebody else may have answered it. */
async function checkUnmoved({ project, live, to, mark }: FailoverFacts, deps: FailoverDeps): Promise<void> {
  const [store] = await deps.stores();
  const [now, state] = await Promise.all([
    liveGeneration(store, project),
    stateStore(store, project, deps.version).read(to),
  ]);
  if (now?.number === live.number && state.failover?.startedAt === mark?.startedAt) return;
  throw new SummitError("locked", "another failover ran since this plan was made, nothing was changed", {
    hint: "summitctl status",
  });
}

/** The same command again, which goes on where it stopped. */
function againHint({ force, reason, to }: FailoverRequest): string {
  const target = to === undefined ? [] : ["--to", to];
  const forced = force && reason !== undefined ? ["--force", "--reason", reason] : [];
  return `${toShell(["summitctl", "failover", ...target, ...forced])}    # goes on where it stopped`;
}

class FailoverRun {
  readonly #request: FailoverRequest;
  readonly #facts: FailoverFacts;
  readonly #plan: FailoverPlan;
  readonly #deps: FailoverDeps;
  readonly #timeline: Timeline;
  /** It proved not to be what its manifest promises: going on with it would end the same way. */
  #badBackup = false;

  constructor(request: FailoverRequest, facts: FailoverFacts, plan: FailoverPlan, deps: FailoverDeps) {
    this.#request = request;
    this.#facts = facts;
    this.#plan = plan;
    this.#deps = deps;
    this.#timeline = new Timeline(deps.now);
  }

  /** Whatever stops it, the operator is told how to go on. */
  async run(): Promise<FailoverResult> {
    try {
      return await this.#go();
    } catch (thrown) {
      const error = this.#deps.signal.aborted ? this.#deps.signal.reason : thrown;
      if (!isSummitError(error)) throw error;
      const older = this.#facts.older?.manifest.id;
      throw new SummitError(error.kind, error.message, {
        details: error.hint === undefined ? error.details : [...error.details, error.hint],
        hint: this.#badBackup ? otherBackupHint({ to: this.#facts.to, begun: true, older }) : againHint(this.#request),
        cause: error,
      });
    }
  }

  async #go(): Promise<FailoverResult> {
    const { project } = this.#request;
    const { from, to, stack, live } = this.#facts;
    const [store] = await this.#deps.stores();
    const state = stateStore(store, project.config.project, this.#deps.version);
    const startedAt = await this.#mark(state);
    await using empty = await this.#step("machines", () =>
      prepareFleet({ project, stack, generation: live.number, deferData: true }, { ...this.#deps, state }),
    );
    const fleet = empty.with({ deferData: false });
    await this.#data(empty);
    await this.#step("app", async () => {
      await fleet.start();
      await fleet.waitHealthy(HEALTH_PATIENCE);
    });
    await writePins(project, fleet, this.#deps);
    const entry = entryService(stack);
    if (entry !== undefined)
      await this.#step("page from inside", () => askFromInside(fleet.leaderOf(entry).shell, entry, this.#deps.signal));
    await this.#step(`fence ${from}`, () => fence(project, from, this.#deps));
    const generation = await this.#commit(store);
    const urls = await this.#step("address", () => takeAddress(project, fleet, this.#deps));
    const url =
      entry === undefined
        ? null
        : await this.#step("page at the address", () => askFromOutside(urls, entry, this.#deps));
    const rto = (this.#deps.now().getTime() - startedAt.getTime()) / 1000;
    const firstBackup = await this.#firstBackup();
    await state.update(to, ({ failover: _done, ...rest }) => rest);
    return this.#result(generation, { startedAt, rto, url, urls, firstBackup });
  }

  /** Written before the first machine is made, so that a cut failover is recognised as one. */
  async #mark(state: StateStore): Promise<Date> {
    const { mark, to, from, backup } = this.#facts;
    if (mark !== undefined) return new Date(mark.startedAt);
    const now = this.#deps.now();
    const failover = {
      from,
      backup: backup.manifest.id,
      backupEnvironment: backup.manifest.environment,
      startedAt: now.toISOString(),
    };
    await state.update(to, (kept) => ({ ...kept, summitctl: this.#deps.version, failover }));
    return now;
  }

  /** The database server and everything that does not wait for it start at once; the restore runs as soon as it can. */
  async #data(fleet: Fleet): Promise<void> {
    const { service } = databasesOf(fleet.stack);
    const early = fleet.stack.services.filter((candidate) => !dependsOn(candidate, service, fleet.stack.services));
    await this.#step("database server", () => fleet.start(early));
    for (const database of this.#facts.databases) {
      await this.#step(`restore ${database}`, () => this.#restore(fleet, service, database));
    }
  }

  /** A database gets its name only after it was restored and checked: if it is there, that was done. */
  async #restore(fleet: Fleet, service: StackService, database: string): Promise<void> {
    const { backup, keys, project, live } = this.#facts;
    const { shell, unit } = fleet.leaderOf(service);
    await using session = await openSqlSession(shell, "postgres", this.#deps.signal);
    if (await databaseExists(session, database)) return;
    const [store] = await this.#deps.stores();
    const server = {
      project,
      environment: fleet.environment,
      generation: live.number,
      unit: unit.name,
      databases: [database],
      shell,
    };
    const wanted = { manifest: backup.manifest, store, keys, database, as: database, replace: false };
    await runRestore(server, wanted, this.#deps).catch((error: unknown) => {
      this.#badBackup = isSummitError(error) && error.kind === "verification";
      throw error;
    });
  }

  /** Before the address moves: whoever looks from now on takes the new environment for the live one. */
  async #commit(store: Awaited<ReturnType<Deps["stores"]>>[0]): Promise<Generation> {
    const { live, to, from, project } = this.#facts;
    if (live.environment === to) return live;
    const reason = this.#request.reason ?? `failover with backup ${this.#plan.backup}`;
    return await this.#step("generation", async () =>
      commitGeneration(
        store,
        project,
        { environment: to, predecessor: from, reason, committedAt: (await store.now()).toISOString() },
        live,
      ),
    );
  }

  /** The site is up already: a backup that fails is told, and does not undo the success. */
  async #firstBackup(): Promise<string | null> {
    try {
      const { manifest } = await this.#step("first backup", () =>
        takeBackup(this.#request.project, this.#facts.to, this.#deps),
      );
      return manifest.id;
    } catch (error) {
      this.#deps.signal.throwIfAborted();
      this.#deps.out.warn(
        `the first backup of "${this.#facts.to}" failed: ${messageOf(error)}; take one soon: summitctl backup`,
      );
      return null;
    }
  }

  #step<T>(name: string, step: () => Promise<T>): Promise<T> {
    return this.#timeline.record(name, step);
  }

  #result(
    generation: Generation,
    end: { startedAt: Date; rto: number; url: string | null; urls: readonly string[]; firstBackup: string | null },
  ): FailoverResult {
    const { from, to, backup, databases } = this.#facts;
    return {
      schema: "summitctl.failover.v1",
      from,
      to,
      generation: generation.number,
      backup: backup.manifest.id,
      rtoSeconds: end.rto,
      dataAgeSeconds: (end.startedAt.getTime() - dataTime(backup.manifest).getTime()) / 1000,
      resumed: this.#plan.resumes,
      rows: databaseMembers(backup.manifest)
        .filter(({ database }) => databases.includes(database))
        .flatMap(({ rows }) => rows)
        .reduce((sum, [, , rows]) => sum + rows, 0),
      url: end.url,
      urls: end.urls,
      firstBackup: end.firstBackup,
      timeline: this.#timeline.moments,
    };
  }
}

function dependsOn(service: StackService, target: StackService, services: readonly StackService[]): boolean {
  return Object.values(service.relations).some((name) => {
    const provider = services.find((candidate) => candidate.name === name);
    return provider !== undefined && (provider === target || dependsOn(provider, target, services));
  });
}

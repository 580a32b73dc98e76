import { type Backup, type BrokenBackup, type CataloguedBackup, readBackup, readCatalog } from "../backup/catalog.ts";
import { type FileKeys, openFiles } from "../backup/encryption/open-files.ts";
import { checkSizes } from "../backup/read-member.ts";
import { effectiveEnvironment } from "../config/effective-environment.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import { isBackupId, show } from "../core/names.ts";
import type { Machine } from "../core/ports/machines.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { type Generation, listGenerations } from "../environment/generations.ts";
import { readInputs } from "../environment/prepare-fleet.ts";
import { type Project, stackOf } from "../environment/project.ts";
import { type FailoverMark, stateStore } from "../environment/state.ts";
import { databasesOf, entryService, type Stack } from "../stack/stack.ts";
import { entryPaths } from "./ask-page.ts";
import { countingBackups } from "./counting-backups.ts";

export interface FailoverRequest {
  readonly project: Project;
  /** Undefined: the first of `failover_to` that is not live. */
  readonly to: string | undefined;
  /** Undefined: the newest that counts. */
  readonly backup: string | undefined;
  readonly force: boolean;
  readonly reason: string | undefined;
}

/** `serving`: its front answers as healthy. `running`: some machine of it runs. */
export type Breath = "serving" | "running" | "down";

interface NamedBackup {
  readonly manifest: { readonly id: string };
}

/** What a plan is made of. Gathering it changes nothing. */
export interface FailoverFacts {
  readonly project: string;
  readonly live: Generation;
  readonly from: string;
  readonly oldMachines: readonly Machine[];
  readonly breath: Breath;
  readonly to: string;
  readonly stack: Stack;
  readonly newMachines: readonly Machine[];
  /** A failover into `to` that was cut. */
  readonly mark: FailoverMark | undefined;
  readonly backup: Backup;
  readonly newest: NamedBackup | undefined;
  /** What to fall back on: the newest that counts and was stored before `backup`. */
  readonly older: NamedBackup | undefined;
  /** Stored after `backup`, and of no use. */
  readonly newerBroken: readonly BrokenBackup[];
  /** Files of `backup` that are missing or cut, as far as their sizes tell. */
  readonly damage: SummitError | undefined;
  /** Of its encrypted files; empty when there is a problem. */
  readonly keys?: FileKeys;
  readonly databases: readonly string[];
  /** Why the target could not be built from here: a secret, a source, a pin, or an identity that opens the backup. */
  readonly inputProblem: SummitError | undefined;
  readonly now: Date;
}

type FactsDeps = Pick<
  Deps,
  "stores" | "machines" | "address" | "version" | "http" | "now" | "trees" | "secret" | "memory" | "identities"
>;

/** Throws kind `check` when there is nothing to fail over from, to, or with. */
export async function gatherFacts(request: FailoverRequest, deps: FactsDeps): Promise<FailoverFacts> {
  const { project } = request;
  const name = project.config.project;
  const [store] = await deps.stores();
  const generations = await listGenerations(store, name);
  const live = generations.at(-1);
  if (live === undefined) throw nothingLive(name, store);
  const states = stateStore(store, name, deps.version);
  // Cut after the traffic was committed: the target is live, and what is left is to finish.
  const unfinished = (await states.read(live.environment)).failover;
  const from = unfinished?.from ?? live.environment;
  const to = unfinished === undefined ? chooseTarget(request, live.environment) : live.environment;
  const mark = unfinished ?? (await states.read(to)).failover;
  const stack = await stackOf(project, to);
  const provider = await deps.machines(to);
  const [oldMachines, newMachines, catalog] = await Promise.all([
    deps.machines(from).then((old) => old.list({ project: name, environment: from })),
    provider.list({ project: name, environment: to }),
    readCatalog(store, name, undefined, deps),
  ]);
  const counting = countingBackups(catalog.backups, generations);
  const [newest] = counting;
  const wanted = request.backup ?? mark?.backup;
  const chosen = wanted === undefined || wanted === "latest" ? newest : findById(catalog.backups, wanted);
  if (chosen === undefined)
    throw new SummitError("check", `no backup of "${from}" in ${store.url} can be restored`, {
      hint: "summitctl backups list",
    });
  if (mark !== undefined && mark.backup !== chosen.manifest.id) {
    throw new SummitError("check", `a failover into "${to}" with backup ${mark.backup} was begun and not ended`, {
      hint: `go on with it: summitctl failover    # or begin anew: summitctl destroy -e ${to}`,
    });
  }
  const backup = await readBackup(store, chosen);
  let keys: FileKeys = new Map();
  const open = async () => {
    keys = await openFiles({ manifest: backup.manifest, store }, deps.identities);
  };
  const sizes = await problemOf("verification", () => checkSizes(store, backup.manifest));
  let identityProblem: SummitError | undefined;
  const damage =
    sizes ??
    (await problemOf("verification", async () => {
      identityProblem = await problemOf("config", open);
    }));
  return {
    project: name,
    live,
    from,
    oldMachines,
    breath: await breathOf(project, from, oldMachines, deps),
    to,
    stack,
    newMachines,
    mark,
    backup,
    newest,
    older: counting.find(({ storedAt }) => storedAt < backup.storedAt),
    newerBroken: catalog.broken.filter(({ storedAt }) => storedAt > backup.storedAt),
    damage,
    keys,
    databases: project.config.backup.databases ?? databasesOf(stack).databases,
    inputProblem: identityProblem ?? (await problemOf("config", () => readInputs(project, stack, deps))),
    now: deps.now(),
  };
}

/** A store that is not mounted looks like one that was never written to, and a bootstrap would be the wrong answer. */
const nothingLive = (project: string, store: ObjectStore): SummitError =>
  new SummitError("check", `${store.url} knows of no live environment of project "${project}"`, {
    details: ["it is empty, is not the store that was in use, or is not mounted"],
    hint: "summitctl doctor    # for a project that was never built: summitctl bootstrap",
  });

/** An error of that kind as a value: a plan shows it. */
async function problemOf(kind: SummitError["kind"], look: () => Promise<unknown>): Promise<SummitError | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (isSummitError(error) && error.kind === kind) return error;
    throw error;
  }
}

function chooseTarget({ project, to }: FailoverRequest, live: string): string {
  if (to !== undefined) {
    effectiveEnvironment(project.config, to);
    if (to === live) throw new SummitError("usage", `"${to}" is live already`, { hint: "summitctl status" });
    return to;
  }
  const target = project.config.failoverTo.find((candidate) => candidate !== live);
  if (target !== undefined) return target;
  const others = Object.keys(project.config.environments).filter((candidate) => candidate !== live);
  throw new SummitError("config", `failover_to names no environment but "${live}", which is live`, {
    hint:
      others[0] === undefined ? "environments: { spare: { provider: local } }" : `summitctl failover --to ${others[0]}`,
  });
}

function findById(backups: readonly CataloguedBackup[], id: string): CataloguedBackup {
  const found = backups.find(({ manifest }) => manifest.id === id);
  if (found !== undefined) return found;
  throw new SummitError(isBackupId(id) ? "check" : "usage", `there is no backup ${show(id)}`, {
    hint: "summitctl backups list",
  });
}

/** From here and now only: one view. An environment that serves is never taken for dead because of this alone. */
async function breathOf(
  project: Project,
  environment: string,
  machines: readonly Machine[],
  deps: Pick<Deps, "http" | "address">,
): Promise<Breath> {
  const running = machines.filter(({ state }) => state === "running");
  if (running.length === 0) return "down";
  const entry = entryService(await stackOf(project, environment));
  if (entry === undefined) return "running";
  const { health } = entryPaths(entry);
  const front = running.find(({ units }) => units.includes(`${entry.name}/0`));
  const direct =
    front?.privateAddress === undefined ? [] : [`http://${front.privateAddress}:${entry.resolved["http_port"] ?? 80}/`];
  // Machines of a rootless engine are reached at the project's address only.
  const urls = [...direct, ...(await addressOf(project, environment, deps))].map((url) => new URL(health, url).href);
  const answers = await Promise.all(urls.map((url) => deps.http({ url, timeout: 5 }).catch(() => undefined)));
  return answers.some((answer) => answer?.status === 200) ? "serving" : "running";
}

async function addressOf(
  project: Project,
  environment: string,
  deps: Pick<Deps, "address">,
): Promise<readonly string[]> {
  const address = await deps.address(environment);
  const holder = await address.holder(project.config.project);
  if (holder?.environment !== environment) return [];
  return ((await address.find(project.config.project))?.urls ?? []).filter((url) => url.startsWith("http://"));
}

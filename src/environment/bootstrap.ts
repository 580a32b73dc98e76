import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { View } from "../core/ports/output.ts";
import { durationText } from "../core/time.ts";
import { entryService, type StackService } from "../stack/stack.ts";
import type { Fleet } from "./fleet.ts";
import { commitGeneration, type Generation, liveGeneration } from "./generations.ts";
import { writePins } from "./pinning.ts";
import { prepareFleet } from "./prepare-fleet.ts";
import { type Project, stackOf } from "./project.ts";
import { stateStore } from "./state.ts";

export interface BootstrapRequest {
  readonly project: Project;
  readonly environment: string;
  /** Take over an environment that another version of summitctl made. */
  readonly upgrade: boolean;
}

export interface BootstrapResult {
  readonly schema: "summitctl.bootstrap.v1";
  readonly environment: string;
  readonly live: boolean;
  readonly generation: number;
  /** Where the project answers; empty when another environment is live. */
  readonly urls: readonly string[];
  readonly units: readonly {
    readonly unit: string;
    readonly machine: string;
    readonly address: string;
    readonly created: boolean;
    readonly changes: readonly string[];
  }[];
  readonly seconds: number;
}

export type BootstrapDeps = Pick<
  Deps,
  "out" | "now" | "signal" | "version" | "machines" | "address" | "stores" | "connector" | "trees" | "secret" | "lock"
>;

/** Seconds for a started service to become healthy. */
export const HEALTH_PATIENCE = 90;

/** Makes the environment what summit.yaml says. Repeated, it changes nothing; cut anywhere and repeated, it completes. */
export async function runBootstrap(request: BootstrapRequest, deps: BootstrapDeps): Promise<BootstrapResult> {
  const { project, environment } = request;
  const began = deps.now();
  const stack = await stackOf(project, environment);
  await using _lock = await deps.lock(environment, "bootstrap");
  const [store] = await deps.stores();
  const state = stateStore(store, project.config.project, deps.version);
  const current = await state.read(environment);
  checkMaker(current.summitctl, Object.keys(current.machines).length, request, deps.version);
  if (current.failover !== undefined) {
    throw new SummitError(
      "check",
      `environment "${environment}" is the target of a failover from "${current.failover.from}" that has not ended`,
      { hint: "summitctl failover" },
    );
  }
  if (current.summitctl !== deps.version)
    await state.update(environment, (kept) => ({ ...kept, summitctl: deps.version }));
  const live = await liveGeneration(store, project.config.project);
  await using fleet = await prepareFleet(
    { project, stack, generation: live?.number ?? 0, deferData: false },
    { ...deps, state },
  );
  await fleet.start();
  await fleet.waitHealthy(HEALTH_PATIENCE);
  await writePins(project, fleet, deps);
  const generation =
    live ??
    (await commitGeneration(
      store,
      project.config.project,
      { environment, reason: "first bootstrap", committedAt: (await store.now()).toISOString() },
      undefined,
    ));
  const urls = generation.environment === environment ? await takeAddress(project, fleet, deps) : [];
  return bootstrapResult(fleet, generation, urls, (deps.now().getTime() - began.getTime()) / 1000);
}

/** Two versions of the tool must not work on one environment unnoticed. */
function checkMaker(
  maker: string,
  machines: number,
  { environment, upgrade }: BootstrapRequest,
  version: string,
): void {
  if (machines === 0 || maker === version || upgrade) return;
  throw new SummitError("check", `environment "${environment}" was made by summitctl ${maker}, this is ${version}`, {
    hint: `use summitctl ${maker}, or take it over with this one: summitctl bootstrap -e ${environment} --upgrade`,
  });
}

/** Moves the project's address to the environment's entry unit. Returns the URLs; none without an entry service. */
export async function takeAddress(
  project: Project,
  fleet: Fleet,
  deps: Pick<Deps, "address">,
): Promise<readonly string[]> {
  const entry = entryService(fleet.stack);
  if (entry === undefined) return [];
  const address = await deps.address(fleet.environment);
  const { urls } = await address.reserve(project.config.project);
  const { machine } = fleet.leaderOf(entry);
  const holder = await address.holder(project.config.project);
  if (holder?.id !== machine.id) await address.assign(project.config.project, machine);
  return answeringUrls(project, entry, urls);
}

/** HTTPS answers only with a certificate, which is a secret of the project. */
export function answeringUrls(
  { config }: Project,
  entry: StackService | undefined,
  urls: readonly string[],
): readonly string[] {
  const bare =
    entry === undefined ||
    (Object.hasOwn(entry.spec.secrets, "certificate") && !Object.hasOwn(config.secrets, "certificate"));
  return bare ? urls.filter((url) => !url.startsWith("https:")) : urls;
}

const bootstrapResult = (
  fleet: Fleet,
  generation: Generation,
  urls: readonly string[],
  seconds: number,
): BootstrapResult => ({
  schema: "summitctl.bootstrap.v1",
  environment: fleet.environment,
  live: generation.environment === fleet.environment,
  generation: generation.number,
  urls,
  units: fleet.units.map(({ unit, machine, created, changes }) => ({
    unit: unit.name,
    machine: machine.name,
    address: machine.privateAddress ?? "",
    created,
    changes,
  })),
  seconds,
});

export function bootstrapView({ environment, live, urls, units, seconds }: BootstrapResult): View {
  const changed = units.reduce((sum, { changes }) => sum + changes.length, 0);
  return [
    {
      head: ["unit", "machine", "address", "changes"],
      rows: units.map(({ unit, machine, address, created, changes }) => [
        unit,
        machine,
        address,
        created ? "created" : changes.length === 0 ? "none" : String(changes.length),
      ]),
    },
    {
      text: `environment "${environment}" is ready after ${durationText(seconds)}, ${changed === 0 ? "nothing had to be changed" : `${changed} changes`}`,
    },
    ...(live
      ? urls.map((url) => ({ text: url }))
      : [{ text: "another environment is live and keeps the project's address" }]),
  ];
}

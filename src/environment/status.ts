import type { Deps } from "../core/deps.ts";
import { isSummitError, messageOf } from "../core/errors.ts";
import type { Machine } from "../core/ports/machines.ts";
import type { View } from "../core/ports/output.ts";
import { type HookFacts, hookEnvironment } from "../stack/hook-environment.ts";
import { installedVersions } from "../stack/pins.ts";
import { askHealth } from "../stack/run-hooks.ts";
import { entryService, type Stack, type StackUnit } from "../stack/stack.ts";
import { answeringUrls } from "./bootstrap.ts";
import { type Generation, liveGeneration } from "./generations.ts";
import { type Project, stackOf } from "./project.ts";
import { lookAt, reach, type Standing } from "./reach.ts";

export interface StatusRequest {
  readonly project: Project;
  /** Undefined: all of the project. */
  readonly environment: string | undefined;
}

export interface UnitStatus {
  readonly unit: string;
  readonly machine: string;
  readonly state: "running" | "stopped" | "missing" | "unreachable";
  readonly address: string | null;
  readonly healthy: boolean;
  readonly message: string;
  /** Installed packages of the service. */
  readonly versions: Readonly<Record<string, string>>;
  readonly createdAt: string | null;
}

export interface EnvironmentStatus {
  readonly environment: string;
  readonly live: boolean;
  readonly provider: string;
  readonly summitctl: string;
  readonly units: readonly UnitStatus[];
}

export interface StatusResult {
  readonly schema: "summitctl.status.v1";
  readonly project: string;
  readonly generation: number;
  readonly liveEnvironment: string | null;
  readonly address: { readonly ip: string; readonly holder: string | null; readonly urls: readonly string[] } | null;
  readonly environments: readonly EnvironmentStatus[];
  readonly healthy: boolean;
}

export type StatusDeps = Pick<Deps, "out" | "signal" | "version" | "machines" | "address" | "stores" | "connector">;

/** What there is and how it is. Changes nothing; what cannot be reached is part of the answer, not an error. */
export async function runStatus({ project, environment }: StatusRequest, deps: StatusDeps): Promise<StatusResult> {
  const [store] = await deps.stores();
  const names = environment === undefined ? Object.keys(project.config.environments) : [environment];
  const stacks = await Promise.all(names.map((name) => stackOf(project, name)));
  const live = await liveGeneration(store, project.config.project);
  const environments = await Promise.all(stacks.map((stack) => environmentStatus(project, stack, live, deps)));
  const shown = environments.filter(
    ({ units, live: isLive }) => environment !== undefined || isLive || units.some(({ state }) => state !== "missing"),
  );
  return {
    schema: "summitctl.status.v1",
    project: project.config.project,
    generation: live?.number ?? 0,
    liveEnvironment: live?.environment ?? null,
    address: await addressStatus(project, stacks[0], deps),
    environments: shown,
    healthy: shown.length > 0 && shown.every(({ units }) => units.every(({ healthy }) => healthy)),
  };
}

async function environmentStatus(
  project: Project,
  stack: Stack,
  live: Generation | undefined,
  deps: StatusDeps,
): Promise<EnvironmentStatus> {
  const standing = await lookAt(project, stack.environment, deps);
  const addresses = new Map(
    standing.machines.flatMap((machine) =>
      machine.units.map((unit): [string, string] => [unit, machine.privateAddress ?? ""]),
    ),
  );
  const facts: HookFacts = {
    project: project.config.project,
    stack,
    addresses,
    revisions: revisionsInLock(project),
    pins: {},
    deferData: false,
  };
  const provider = await deps.machines(stack.environment);
  return {
    environment: stack.environment,
    live: live?.environment === stack.environment,
    provider: provider.kind,
    summitctl: standing.state.summitctl,
    units: await Promise.all(stack.units.map((unit) => unitStatus(standing, unit, facts, deps))),
  };
}

function revisionsInLock({ lock }: Project): Record<string, string> {
  return Object.fromEntries(
    Object.entries(lock?.sources ?? {}).flatMap(([service, options]) =>
      Object.entries(options).map(([option, revision]) => [`${service}.${option}`, revision]),
    ),
  );
}

async function unitStatus(
  standing: Standing,
  unit: StackUnit,
  facts: HookFacts,
  deps: StatusDeps,
): Promise<UnitStatus> {
  const machine = standing.machines.find(({ units }) => units.includes(unit.name));
  const base = {
    unit: unit.name,
    machine: machine?.name ?? unit.machine,
    address: machine?.privateAddress ?? null,
    createdAt: machine?.createdAt.toISOString() ?? null,
    versions: {},
    healthy: false,
  };
  if (machine === undefined) return { ...base, state: "missing", message: "no machine" };
  if (machine.state === "stopped") return { ...base, state: "stopped", message: "stopped" };
  return await askUnit(standing, { machine, unit, facts, base }, deps);
}

type Base = Omit<UnitStatus, "state" | "message">;

async function askUnit(
  standing: Standing,
  asked: { machine: Machine; unit: StackUnit; facts: HookFacts; base: Base },
  deps: StatusDeps,
): Promise<UnitStatus> {
  const { machine, unit, facts, base } = asked;
  try {
    await using shell = await reach(standing, machine, 0, deps);
    const [health, versions] = await Promise.all([
      askHealth(shell, { unit: unit.name, environment: hookEnvironment(facts, unit), signal: deps.signal }),
      installedVersions(shell, unit.service.spec.packages, deps.signal),
    ]);
    return { ...base, versions, state: "running", ...health };
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!isSummitError(error)) throw error;
    return { ...base, state: "unreachable", message: messageOf(error) };
  }
}

async function addressStatus(
  project: Project,
  stack: Stack | undefined,
  deps: StatusDeps,
): Promise<StatusResult["address"]> {
  if (stack === undefined) return null;
  const address = await deps.address(stack.environment);
  const reserved = await address.find(project.config.project);
  if (reserved === undefined) return null;
  const holder = await address.holder(project.config.project);
  return {
    ip: reserved.ip,
    urls: answeringUrls(project, entryService(stack), reserved.urls),
    holder: holder === undefined ? null : `${holder.environment} ${holder.units.join(",")}`,
  };
}

export function statusView({ project, generation, liveEnvironment, address, environments }: StatusResult): View {
  if (environments.length === 0)
    return [
      {
        text: `project "${project}" has no machines; make some with: summitctl bootstrap -e ${liveEnvironment ?? "production"}`,
      },
    ];
  return [
    {
      pairs: [
        ["project", project],
        ["live", liveEnvironment === null ? "none yet" : `${liveEnvironment} (generation ${generation})`],
        ["address", address === null ? "none" : `${address.ip} on ${address.holder ?? "no machine"}`],
        ...(address?.urls ?? []).map((url): [string, string] => ["", url]),
      ],
    },
    ...environments.flatMap(
      ({ environment, live, provider, units }): View => [
        { title: `${environment}${live ? " (live)" : ""}, provider ${provider}` },
        {
          head: ["unit", "state", "address", "version", "health"],
          rows: units.map((unit) => [
            unit.unit,
            unit.state,
            unit.address ?? "-",
            versionText(unit),
            `${unit.healthy ? "ok" : "NOT OK"}: ${unit.message}`,
          ]),
        },
      ],
    ),
  ];
}

/** Of the package that the service is about: the first. */
const versionText = ({ versions }: UnitStatus): string => Object.values(versions)[0] ?? "-";

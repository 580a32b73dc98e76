import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Machine } from "../core/ports/machines.ts";
import type { Shell } from "../core/ports/shell.ts";
import type { Project } from "./project.ts";
import { shellTarget } from "./provision.ts";
import { type EnvironmentState, stateStore, withMachine } from "./state.ts";

export type ReachDeps = Pick<Deps, "machines" | "connector" | "stores" | "version" | "out">;

/** An environment as it stands: what the provider shows and what the state knows. */
export interface Standing {
  readonly project: Project;
  readonly environment: string;
  readonly machines: readonly Machine[];
  readonly state: EnvironmentState;
}

export async function lookAt(project: Project, environment: string, deps: ReachDeps): Promise<Standing> {
  const [store] = await deps.stores();
  const provider = await deps.machines(environment);
  const [machines, state] = await Promise.all([
    provider.list({ project: project.config.project, environment }),
    stateStore(store, project.config.project, deps.version).read(environment),
  ]);
  return { project, environment, machines, state };
}

/** Throws kind `check` when nothing of that environment runs. */
export function machineOf({ environment, machines }: Standing, unit: string): Machine {
  const machine = machines.find(({ units }) => units.includes(unit));
  if (machine !== undefined) return machine;
  const units = machines.flatMap((candidate) => candidate.units);
  throw new SummitError(
    "check",
    units.length === 0
      ? `environment "${environment}" has no machines`
      : `environment "${environment}" has no unit ${unit}, it has ${units.join(", ")}`,
    {
      hint: units.length === 0 ? `summitctl bootstrap -e ${environment}` : `summitctl status -e ${environment}`,
    },
  );
}

/** Logs in to a machine under its pinned key. `patience` in seconds. */
export async function reach(standing: Standing, machine: Machine, patience: number, deps: ReachDeps): Promise<Shell> {
  const connector = await deps.connector();
  return await connector.connect(await targetOf(standing, machine, patience, deps));
}

export async function targetOf(standing: Standing, machine: Machine, patience: number, deps: ReachDeps) {
  const { project, environment, state } = standing;
  const known = state.machines[machine.name];
  const pins = known !== undefined && (known.id === undefined || known.id === machine.id) ? known.hostKeys : [];
  const hostKeys = pins.length > 0 ? pins : await recoverPins(standing, machine, deps);
  return shellTarget({ environment, machine, user: project.config.ssh.user, hostKeys, patience });
}

/** The state was lost: the provider's own channel tells the keys, and they are pinned again. */
async function recoverPins(
  { project, environment }: Standing,
  machine: Machine,
  deps: ReachDeps,
): Promise<readonly string[]> {
  const keys = (await (await deps.machines(environment)).hostKeys(machine)) ?? [];
  if (keys.length === 0) return [];
  deps.out.warn(
    `the host key of ${environment} ${machine.name} was not on record; the provider told it, and it is pinned now`,
  );
  const [store] = await deps.stores();
  await stateStore(store, project.config.project, deps.version).update(environment, (state) =>
    withMachine(state, machine.name, { id: machine.id, hostKeys: keys }),
  );
  return keys;
}

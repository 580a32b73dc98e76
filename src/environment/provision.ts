import type { Deps } from "../core/deps.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import type { Machine, MachineProvider } from "../core/ports/machines.ts";
import type { Shell, ShellConnector, ShellTarget } from "../core/ports/shell.ts";
import { rotateHostKey } from "./host-key-rotation.ts";
import { type MachineState, type StateStore, withMachine } from "./state.ts";
import { userData } from "./user-data.ts";

/** A machine that runs and answers, with the connection that proved it. */
export interface ReachedMachine {
  readonly machine: Machine;
  readonly shell: Shell;
  /** It was made by this call. */
  readonly created: boolean;
}

export interface ProvisionRequest {
  readonly project: string;
  readonly environment: string;
  readonly name: string;
  readonly units: readonly string[];
  readonly generation: number;
  readonly image: string;
  readonly user: string;
  readonly admins: readonly string[];
}

export interface ProvisionDeps extends Pick<Deps, "signal"> {
  readonly machines: MachineProvider;
  readonly connector: ShellConnector;
  readonly state: StateStore;
}

/** Seconds that a machine may take to let us in: to boot, and when a run was cut while it booted, some time ago. */
const PATIENCE = { boot: 120, cut: 30 };

/**
 * Makes the machine if there is none, starts it if it is stopped, and logs in to it. The key that it will prove is
 * durable in the state before the machine exists, so the first connection is to a known key, also after a kill. A
 * machine of a run that was cut before its first login holds nothing: when it does not let us in, it is made anew.
 */
export async function provision(request: ProvisionRequest, deps: ProvisionDeps): Promise<ReachedMachine> {
  const { project, environment, name } = request;
  const existing = (await deps.machines.list({ project, environment })).find((machine) => machine.name === name);
  if (existing?.booted !== true) return await reachNew(request, deps);
  const found = await useExisting(existing, request, deps);
  const wasUsed = found.state.bootKey === undefined;
  try {
    const patience = wasUsed ? PATIENCE.boot : PATIENCE.cut;
    return { ...(await logIn(found, request, { ...deps, patience })), created: false };
  } catch (error) {
    deps.signal.throwIfAborted();
    // What is wrong on this side, a key that cannot be used, another machine would not mend.
    if (wasUsed || !isSummitError(error) || error.kind !== "remote")
      throw await withConsole(error, found.machine, deps);
    await deps.machines.remove(found.machine);
    return await reachNew(request, deps);
  }
}

async function reachNew(request: ProvisionRequest, deps: ProvisionDeps): Promise<ReachedMachine> {
  const made = await createMachine(request, deps);
  try {
    return { ...(await logIn(made, request, { ...deps, patience: PATIENCE.boot })), created: true };
  } catch (error) {
    deps.signal.throwIfAborted();
    throw await withConsole(error, made.machine, deps);
  }
}

/** With the machine's own last words, which say more than a port that refuses. */
async function withConsole(error: unknown, machine: Machine, deps: ProvisionDeps): Promise<unknown> {
  if (!isSummitError(error) || error.kind !== "remote") return error;
  const console = await deps.machines.console(machine).catch(() => []);
  const details = console.map((line) => `${machine.name} says: ${line}`);
  return new SummitError(error.kind, error.message, {
    details: [...error.details, ...details],
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

/** Connects and gives the machine a host key of its own, if it has still the first one. */
async function logIn(
  { machine, state }: Known,
  request: ProvisionRequest,
  deps: ProvisionDeps & { readonly patience: number },
): Promise<Omit<ReachedMachine, "created">> {
  const { connector, signal, patience } = deps;
  const { environment, user } = request;
  const target = shellTarget({ environment, machine, user, hostKeys: state.hostKeys, patience });
  const shell = await connector.connect(target);
  try {
    const save = (next: MachineState) => saveState(request, next, deps);
    return { machine, shell: await rotateHostKey(shell, { connector, target, state, save, signal }) };
  } catch (error) {
    await shell[Symbol.asyncDispose]();
    throw error;
  }
}

interface Known {
  readonly machine: Machine;
  readonly state: MachineState;
}

async function createMachine(request: ProvisionRequest, deps: ProvisionDeps): Promise<Known> {
  const bootKey = deps.connector.generateKeyPair();
  const authorizedKeys = [...new Set([...(await deps.connector.publicKeys()), ...request.admins])];
  const state: MachineState = { id: undefined, hostKeys: [bootKey.publicKey], bootKey: bootKey.publicKey };
  await saveState(request, state, deps);
  const machine = await deps.machines.create({
    project: request.project,
    environment: request.environment,
    name: request.name,
    units: request.units,
    generation: request.generation,
    image: request.image,
    userData: userData({ hostname: request.name, user: request.user, authorizedKeys, bootKey }),
  });
  return { machine, state: { ...state, id: machine.id } };
}

async function useExisting(existing: Machine, request: ProvisionRequest, deps: ProvisionDeps): Promise<Known> {
  const machine = existing.state === "running" ? existing : await startAgain(existing, request, deps);
  const known = (await deps.state.read(request.environment)).machines[request.name];
  if (known !== undefined && known.hostKeys.length > 0 && (known.id === undefined || known.id === machine.id))
    return { machine, state: { ...known, id: machine.id } };
  return { machine, state: await recoverKeys(machine, request, deps) };
}

/** `create` starts a machine that exists and does not look at the rest of the specification. */
const startAgain = (existing: Machine, request: ProvisionRequest, deps: ProvisionDeps): Promise<Machine> =>
  deps.machines.create({ ...request, units: existing.units, generation: existing.generation, userData: "" });

/** The state was lost, or is of an earlier machine of that name: the provider is asked over its own channel. */
async function recoverKeys(machine: Machine, request: ProvisionRequest, deps: ProvisionDeps): Promise<MachineState> {
  const keys = await deps.machines.hostKeys(machine);
  if (keys === undefined || keys.length === 0) {
    throw new SummitError("check", `${request.environment} ${machine.name} runs, but its host key is not known`, {
      hint: `summitctl destroy -e ${request.environment}    # its keys cannot be trusted on first use`,
    });
  }
  const state: MachineState = { id: machine.id, hostKeys: keys };
  await saveState(request, state, deps);
  return state;
}

async function saveState(request: ProvisionRequest, machine: MachineState, deps: ProvisionDeps): Promise<void> {
  await deps.state.update(request.environment, (state) => withMachine(state, request.name, machine));
}

export interface TargetFacts {
  readonly environment: string;
  readonly machine: Machine;
  readonly user: string;
  readonly hostKeys: readonly string[];
  readonly patience: number;
}

export function shellTarget({ environment, machine, user, hostKeys, patience }: TargetFacts): ShellTarget {
  const [first, ...more] = hostKeys;
  if (machine.endpoint === undefined || first === undefined) {
    throw new SummitError("remote", `${environment} ${machine.name} is ${machine.state}, it cannot be reached`, {
      hint: `summitctl status    # is it live? summitctl bootstrap -e ${environment} starts it again`,
    });
  }
  return {
    name: `${environment} ${machine.units.join(", ") || machine.name}`,
    endpoint: machine.endpoint,
    user,
    hostKeys: [first, ...more],
    patience,
  };
}

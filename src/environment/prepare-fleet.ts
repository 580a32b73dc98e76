import { readFile } from "node:fs/promises";
import { quote } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Shell } from "../core/ports/shell.ts";
import type { Secret } from "../core/secret.ts";
import { deliverSecrets, deliverTree, relationSecret } from "../stack/deliver.ts";
import { type HookFacts, REMOTE, sourceFolder } from "../stack/hook-environment.ts";
import { installMark } from "../stack/install-mark.ts";
import { installedPins } from "../stack/pins.ts";
import { bindingsOf, type Stack, type StackService, type StackUnit } from "../stack/stack.ts";
import { Fleet, type FleetUnit } from "./fleet.ts";
import { stackImage } from "./image.ts";
import { checkPins } from "./pinning.ts";
import type { Project } from "./project.ts";
import { provision } from "./provision.ts";
import { readSources, revisionsOf, type Sources } from "./sources.ts";
import type { StateStore } from "./state.ts";

export interface FleetRequest {
  readonly project: Project;
  readonly stack: Stack;
  readonly generation: number;
  /** The data comes from a backup: databases are left out and migrations wait. */
  readonly deferData: boolean;
}

export type FleetDeps = Pick<Deps, "out" | "now" | "signal" | "machines" | "connector" | "trees" | "secret"> & {
  readonly state: StateStore;
};

/**
 * Machines that run, are reached under pinned keys and have packs, packages, sources and secrets: all that needs no
 * other machine. Every part of it may be repeated; what is there already is left alone.
 */
export async function prepareFleet(request: FleetRequest, deps: FleetDeps): Promise<Fleet> {
  const { project, stack } = request;
  const { sources, secrets } = await readInputs(project, stack, deps);
  const machines = await deps.machines(stack.environment);
  const pins = project.lock?.packages ?? {};
  const golden = project.config.local.golden;
  const image = await stackImage(
    { project: project.config.project, stack, pins, golden, library: project.library },
    machines,
    deps,
  );

  const units: FleetUnit[] = [];
  // One that failed must not leave the connections of the others open; all are awaited before anything is thrown.
  const results = await Promise.allSettled(
    stack.units.map(async (unit) => {
      units.push(await reachUnit(unit, request, image, { ...deps, provider: machines }));
    }),
  );
  const failed = results.find((result) => result.status === "rejected");
  const addresses = new Map(units.map(({ unit, machine }) => [unit.name, machine.privateAddress ?? ""]));
  const facts: HookFacts = {
    project: project.config.project,
    stack,
    addresses,
    revisions: revisionsOf(sources),
    pins,
    deferData: request.deferData,
  };
  const fleet = new Fleet(inOrder(units, stack), facts, deps.signal);
  try {
    if (failed !== undefined) throw failed.reason;
    await Promise.all(
      fleet.units.map((member) =>
        equip(fleet, member, { sources, secrets, project, trees: deps.trees, signal: deps.signal }),
      ),
    );
    await shareRelationSecrets(fleet, deps.signal);
    return fleet;
  } catch (error) {
    for (const { task } of fleet.units) task.fail();
    await fleet[Symbol.asyncDispose]();
    throw error;
  }
}

interface Inputs {
  readonly sources: Sources;
  readonly secrets: ReadonlyMap<string, Secret>;
}

/**
 * What machines get from this side: sources at their pinned revisions and secrets. Everything that can be wrong here
 * is found before the first machine is made. Throws kind `config`.
 */
export async function readInputs(
  project: Project,
  stack: Stack,
  deps: Pick<Deps, "trees" | "secret">,
): Promise<Inputs> {
  const sources = await readSources(project, stack, deps);
  checkPins(project, {
    packs: Object.fromEntries(stack.services.map(({ pack, digest }) => [pack, digest])),
    revisions: revisionsOf(sources),
  });
  return { sources, secrets: await projectSecrets(project, stack, deps) };
}

const inOrder = (units: readonly FleetUnit[], stack: Stack): FleetUnit[] =>
  stack.units.flatMap((unit) => units.filter((member) => member.unit === unit));

async function reachUnit(
  unit: StackUnit,
  request: FleetRequest,
  image: string,
  deps: FleetDeps & { provider: Awaited<ReturnType<Deps["machines"]>> },
): Promise<FleetUnit> {
  const { config } = request.project;
  const task = deps.out.task(`${request.stack.environment} ${unit.name}`);
  task.progress({ text: "machine" });
  try {
    const reached = await provision(
      {
        project: config.project,
        environment: request.stack.environment,
        name: unit.machine,
        units: [unit.name],
        generation: request.generation,
        image,
        user: config.ssh.user,
        admins: config.ssh.admins,
      },
      { machines: deps.provider, connector: await deps.connector(), state: deps.state, signal: deps.signal },
    );
    return { unit, ...reached, changes: reached.created ? ["created the machine"] : [], task };
  } catch (error) {
    task.fail();
    throw error;
  }
}

interface Equipment extends Inputs {
  readonly project: Project;
  readonly trees: Deps["trees"];
  readonly signal: AbortSignal;
}

async function equip(
  fleet: Fleet,
  member: FleetUnit,
  { sources, secrets, project, trees, signal }: Equipment,
): Promise<void> {
  const { shell, unit, task, changes } = member;
  const { service } = unit;
  const have = await readMarks(shell, service, signal);
  if (have.library !== project.library.digest) await deliverLibrary(shell, project, signal);
  if (have.pack !== service.digest) {
    task.progress({ text: "pack" });
    const files = await (await trees()).read({ path: service.spec.folder });
    await deliverTree(
      shell,
      { revision: service.digest, archive: () => files.archive() },
      `${REMOTE.packs}/${service.pack}`,
      signal,
    );
    changes.push(`delivered the pack ${service.pack}`);
  }
  for (const [key, tree] of sources) {
    const [owner, option = ""] = key.split(".");
    if (owner !== service.name) continue;
    task.progress({ text: option });
    if (await deliverTree(shell, tree, sourceFolder(service.name, option, tree.revision), signal))
      changes.push(`delivered ${option} ${tree.revision.slice(0, 12)}`);
  }
  const wanted = new Map([...secrets].filter(([name]) => Object.hasOwn(service.spec.secrets, name)));
  for (const name of await deliverSecrets(shell, wanted, signal)) changes.push(`wrote the secret ${name}`);
  const mark = installMark(service);
  if (have.installed === mark && (await holdsPins(fleet, member, signal))) return;
  await fleet.runHooks(member, ["install"]);
  await shell.must(
    ["sh", "-c", 'mkdir -p "$1"; printf "%s\\n" "$3" >"$1/$2"', "sh", REMOTE.installed, service.name, mark],
    { signal, timeout: 60 },
  );
}

async function holdsPins(fleet: Fleet, { shell, unit }: FleetUnit, signal: AbortSignal): Promise<boolean> {
  const wanted = Object.entries(fleet.facts.pins[unit.service.name] ?? {});
  if (wanted.length === 0) return true;
  const installed = await installedPins(shell, unit.service.name, signal);
  return wanted.every(([name, version]) => installed[name] === version);
}

async function readMarks(
  shell: Shell,
  service: StackService,
  signal: AbortSignal,
): Promise<{ library: string; pack: string; installed: string }> {
  const files = [
    `${REMOTE.library}.revision`,
    `${REMOTE.packs}/${service.pack}.revision`,
    `${REMOTE.installed}/${service.name}`,
  ];
  const shown = await shell.must(
    [
      "sh",
      "-c",
      `for f in ${files.map(quote).join(" ")}; do if [ -s "$f" ]; then head -n1 "$f"; else echo -; fi; done`,
    ],
    { signal, timeout: 60 },
  );
  const [library = "", pack = "", installed = ""] = shown.split("\n");
  return { library, pack, installed };
}

async function deliverLibrary(shell: Shell, { library }: Project, signal: AbortSignal): Promise<void> {
  const script = `set -eu; mkdir -p ${REMOTE.packs}; cat >${REMOTE.library}.new; mv -f ${REMOTE.library}.new ${REMOTE.library}; printf '%s\\n' "$1" >${REMOTE.library}.revision`;
  await shell.must(["sh", "-c", script, "sh", library.digest], {
    input: await readFile(`${library.folder}/lib.sh`),
    signal,
    timeout: 60,
  });
}

/** Every secret that a pack of the stack asks for, resolved here and now. Throws kind `config` with all that are missing. */
async function projectSecrets(
  project: Project,
  stack: Stack,
  deps: Pick<Deps, "secret">,
): Promise<ReadonlyMap<string, Secret>> {
  const names = new Set(
    stack.services
      .flatMap(({ spec }) => Object.keys(spec.secrets))
      .filter((name) => Object.hasOwn(project.config.secrets, name)),
  );
  const results = await Promise.allSettled([...names].map(async (name) => [name, await deps.secret(name)] as const));
  const failed = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
  const [first] = failed;
  if (first === undefined)
    return new Map(results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
  if (failed.length === 1 || !(first instanceof SummitError)) throw first;
  throw new SummitError("config", `${failed.length} secrets cannot be resolved`, {
    details: failed.map((error) => (error instanceof Error ? error.message : String(error))),
    hint: first.hint ?? "summitctl doctor",
  });
}

/** A generated password is made on the providing machine and copied to the machines that need it, over pinned connections. */
async function shareRelationSecrets(fleet: Fleet, signal: AbortSignal): Promise<void> {
  await Promise.all(
    bindingsOf(fleet.stack).map(async ({ client, provider, secret }) => {
      if (secret === undefined) return;
      const value = await relationSecret(fleet.leaderOf(provider).shell, secret, signal);
      await Promise.all(
        fleet.unitsOf(client).map(({ shell }) => deliverSecrets(shell, new Map([[secret, value]]), signal)),
      );
    }),
  );
}

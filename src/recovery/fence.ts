import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Machine } from "../core/ports/machines.ts";
import type { Project } from "../environment/project.ts";
import { stackOf } from "../environment/project.ts";
import { lookAt, type ReachDeps, reach, type Standing } from "../environment/reach.ts";
import { type HookFacts, hookEnvironment } from "../stack/hook-environment.ts";
import { runHooks } from "../stack/run-hooks.ts";
import type { Stack } from "../stack/stack.ts";

type FenceDeps = ReachDeps & Pick<Deps, "signal">;

/** Seconds that a machine of the old environment gets to stop its services by itself. */
const GRACE = 20;

/**
 * Makes sure that an environment serves and writes nothing any more: services are stopped where the machine can be
 * reached (front first, so that nothing is accepted that would be lost), then every machine is stopped by the provider.
 */
export async function fence(project: Project, environment: string, deps: FenceDeps): Promise<void> {
  const standing = await lookAt(project, environment, deps);
  const running = standing.machines.filter(({ state }) => state === "running");
  if (running.length === 0) return;
  const stack = await stackOf(project, environment);
  const provider = await deps.machines(environment);
  for (const service of [...stack.services].reverse()) {
    const machines = running.filter(({ units }) => units.some((unit) => unit.startsWith(`${service.name}/`)));
    await Promise.all(machines.map((machine) => stopServices(standing, machine, stack, deps)));
  }
  await Promise.all(running.map((machine) => provider.stop(machine)));
  const left = (await provider.list({ project: project.config.project, environment })).filter(
    ({ state }) => state === "running",
  );
  if (left.length > 0) {
    throw new SummitError(
      "incomplete",
      `"${environment}" still has ${left.length} running machines, the address was not moved`,
      { hint: "run the same command again" },
    );
  }
}

/** Best effort: a machine that cannot be asked is stopped from outside all the same. */
async function stopServices(standing: Standing, machine: Machine, stack: Stack, deps: FenceDeps): Promise<void> {
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(GRACE * 1000)]);
  try {
    await using shell = await reach(standing, machine, 0, deps);
    const addresses = new Map(
      standing.machines.flatMap(({ units, privateAddress }) =>
        units.map((unit): [string, string] => [unit, privateAddress ?? ""]),
      ),
    );
    const facts: HookFacts = {
      project: standing.project.config.project,
      stack,
      addresses,
      revisions: {},
      pins: {},
      deferData: false,
    };
    for (const unit of stack.units.filter(({ name }) => machine.units.includes(name))) {
      await runHooks(shell, {
        unit: `${standing.environment} ${unit.name}`,
        hooks: ["stop"],
        environment: hookEnvironment(facts, unit),
        signal,
      });
    }
  } catch (error) {
    deps.signal.throwIfAborted();
    deps.out.warn(
      `${standing.environment} ${machine.name} could not be asked to stop, it is stopped from outside: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

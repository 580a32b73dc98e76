import { effectiveEnvironment } from "../config/effective-environment.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Machine } from "../core/ports/machines.ts";
import type { View } from "../core/ports/output.ts";
import { liveGeneration } from "./generations.ts";
import type { Project } from "./project.ts";
import { stateStore } from "./state.ts";

export interface DestroyRequest {
  readonly project: Project;
  /** Never guessed: undefined is refused. */
  readonly environment: string | undefined;
  /** `--confirm NAME` */
  readonly confirm: string | undefined;
}

export interface DestroyResult {
  readonly schema: "summitctl.destroy.v1";
  readonly environment: string;
  readonly removed: readonly string[];
  readonly stays: readonly string[];
}

export type DestroyDeps = Pick<Deps, "out" | "prompt" | "version" | "machines" | "address" | "stores" | "lock">;

/** Removes the machines of an environment and what only they needed. Backups are never touched. Repeatable. */
export async function runDestroy(
  { project, environment, confirm }: DestroyRequest,
  deps: DestroyDeps,
): Promise<DestroyResult> {
  if (environment === undefined) {
    throw new SummitError("usage", "which environment is to be destroyed must be said", {
      hint: `summitctl destroy -e ${Object.keys(project.config.environments).at(-1)}`,
    });
  }
  effectiveEnvironment(project.config, environment);
  const name = project.config.project;
  const provider = await deps.machines(environment);
  const [store, ...more] = await deps.stores();
  const [all, live] = await Promise.all([provider.list({ project: name }), liveGeneration(store, name)]);
  const machines = all.filter((machine) => machine.environment === environment);
  const last = machines.length === all.length;
  const stays = [
    ...[store, ...more].map(({ url }) => `backups in ${url}`),
    ...(last ? [] : ["the project's address and network, which other environments use"]),
  ];
  announce(environment, machines, { stays, last, isLive: live?.environment === environment }, deps);
  if (!(await deps.prompt.typedName(`destroy environment "${environment}"?`, environment, confirm))) {
    throw new SummitError("check", "the name was not typed, nothing was changed", {
      hint: `summitctl destroy -e ${environment} --confirm ${environment}`,
    });
  }
  await using _lock = await deps.lock(environment, "destroy");
  await Promise.all(
    machines.map(async (machine) => {
      const task = deps.out.task(`remove ${environment} ${machine.name}`);
      try {
        await provider.remove(machine);
        task.done();
      } catch (error) {
        task.fail();
        throw error;
      }
    }),
  );
  if (last) await (await deps.address(environment)).remove(name);
  await stateStore(store, name, deps.version).remove(environment);
  const left = await provider.list({ project: name, environment });
  if (left.length > 0)
    throw new SummitError("incomplete", `${left.length} machines of "${environment}" are still there`, {
      hint: "run the same command again",
    });
  return {
    schema: "summitctl.destroy.v1",
    environment,
    removed: [
      ...machines.map((machine) => `machine ${machine.name}`),
      ...(last ? ["the project's address and network"] : []),
    ],
    stays,
  };
}

function announce(
  environment: string,
  machines: readonly Machine[],
  { stays, last, isLive }: { stays: readonly string[]; last: boolean; isLive: boolean },
  { out }: DestroyDeps,
): void {
  if (isLive) out.warn(`environment "${environment}" is live: its site goes down`);
  out.note(machines.length === 0 ? `environment "${environment}" has no machines` : "goes:");
  for (const machine of machines)
    out.note(
      `  machine ${machine.name} (${machine.units.join(", ")}) with its disk, made ${machine.createdAt.toISOString()}`,
    );
  if (last && machines.length > 0) out.note("  the project's address and network");
  out.note("stays:");
  for (const thing of stays) out.note(`  ${thing}`);
}

export const destroyView = ({ environment, removed, stays }: DestroyResult): View => [
  {
    text:
      removed.length === 0
        ? `environment "${environment}" had nothing to remove`
        : `environment "${environment}" is gone: ${removed.join(", ")}`,
  },
  { text: `kept: ${stays.join(", ")}` },
];

import type { Machine } from "../../../core/ports/machines.ts";
import { processRuns } from "../../../core/process-life.ts";
import type { Engine } from "./engine.ts";
import { ENVIRONMENT_LABEL, identityOf, PROJECT_LABEL } from "./labels.ts";
import { networkName } from "./network.ts";

/** What `inspect` of podman and docker have in common. */
interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly Status: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> | null;
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>> | null;
  };
}

/** Machines of a project by their labels, oldest first. */
export async function listMachines(engine: Engine, project: string, environment?: string): Promise<Machine[]> {
  const filters = [
    `label=${PROJECT_LABEL}=${project}`,
    ...(environment === undefined ? [] : [`label=${ENVIRONMENT_LABEL}=${environment}`]),
  ];
  const ids = await engine.must(["ps", "-aq", ...filters.flatMap((filter) => ["--filter", filter])]);
  return (await inspectMachines(engine, ids.split("\n").filter(Boolean))).sort(
    (a, b) => a.createdAt.getTime() - b.createdAt.getTime(),
  );
}

export async function inspectMachine(engine: Engine, name: string): Promise<Machine | undefined> {
  return (await inspectMachines(engine, [name]))[0];
}

async function inspectMachines(engine: Engine, ids: readonly string[]): Promise<Machine[]> {
  if (ids.length === 0) return [];
  // A container that went away between the two calls makes the exit status 1; the others are still printed.
  const { stdout } = await engine.run(["container", "inspect", ...ids]);
  const inspected = (stdout.trim() === "" ? [] : JSON.parse(stdout)) as Inspected[];
  const machines = await Promise.all(inspected.map(toMachine));
  return machines.filter((machine) => machine !== undefined);
}

async function toMachine(container: Inspected): Promise<Machine | undefined> {
  const identity = identityOf(container.Config.Labels ?? {});
  if (identity === undefined) return undefined;
  // After a restart of the computer the record may still say "running" of a container whose processes are gone.
  const running = container.State.Running && (process.platform !== "linux" || (await processRuns(container.State.Pid)));
  const privateAddress = container.NetworkSettings.Networks?.[networkName(identity.project)]?.IPAddress || undefined;
  const published = container.NetworkSettings.Ports?.["22/tcp"]?.[0]?.HostPort;
  const endpoint =
    published === undefined
      ? privateAddress && { host: privateAddress, port: 22 }
      : { host: "127.0.0.1", port: Number(published) };
  return {
    id: container.Id,
    ...identity,
    state: running ? "running" : "stopped",
    booted: !["created", "configured", "initialized"].includes(container.State.Status),
    endpoint: running ? endpoint || undefined : undefined,
    privateAddress: running ? privateAddress : undefined,
    createdAt: new Date(container.Created),
  };
}

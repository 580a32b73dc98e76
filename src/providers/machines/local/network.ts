import { sha256 } from "../../../core/digest.ts";
import { SummitError } from "../../../core/errors.ts";
import { type Engine, lastLine } from "./engine.ts";
import { PROJECT_LABEL } from "./labels.ts";

export interface ProjectNetwork {
  readonly name: string;
  /** The floating address: from the upper half, which the engine never hands out. */
  readonly address: string;
}

export const networkName = (project: string): string => `summit-${project}`;

/** The network of a project, or undefined when there is none yet. */
export async function findNetwork(engine: Engine, project: string): Promise<ProjectNetwork | undefined> {
  const name = networkName(project);
  const found = await engine.run(["network", "inspect", name]);
  if (found.code !== 0) return undefined;
  const subnet = subnetOf(found.stdout);
  if (subnet === undefined)
    throw new SummitError("check", `the network ${name} has no IPv4 subnet`, {
      hint: `${engine.name} network rm ${name}`,
    });
  return { name, address: addressOf(subnet) };
}

/**
 * The network of a project, made when absent: `wanted` or the first free /24 that the project's name points to.
 * Rejects with kind `check` when the subnet is taken.
 */
export async function ensureNetwork(
  engine: Engine,
  project: string,
  wanted: string | undefined,
): Promise<ProjectNetwork> {
  const existing = await findNetwork(engine, project);
  if (existing !== undefined) return existing;
  const refusals: string[] = [];
  for (const subnet of wanted === undefined ? candidates(project) : [wanted]) {
    const made = await engine.run([
      "network",
      "create",
      "--label",
      `${PROJECT_LABEL}=${project}`,
      "--subnet",
      subnet,
      "--ip-range",
      lowerHalf(subnet),
      networkName(project),
    ]);
    if (made.code === 0) return { name: networkName(project), address: addressOf(subnet) };
    // Two commands at once: the other one was faster.
    const other = await findNetwork(engine, project);
    if (other !== undefined) return other;
    refusals.push(`${subnet}: ${lastLine(made.stderr)}`);
  }
  throw new SummitError(
    "check",
    wanted === undefined
      ? "no free subnet was found for the project's network"
      : `the subnet ${wanted} cannot be used for the project's network`,
    {
      details: refusals.slice(-3),
      hint: "set another one in summit.yaml: local: { subnet: 10.123.45.0/24 }",
    },
  );
}

/** 10.90.0.0 to 10.218.255.0, starting where the project's name falls, so that two projects seldom collide. */
function candidates(project: string): string[] {
  const start = Number.parseInt(sha256(project).slice(0, 8), 16);
  return Array.from({ length: 8 }, (_, index) => {
    const slot = (start + index * 257) % (128 * 256);
    return `10.${90 + Math.floor(slot / 256)}.${slot % 256}.0/24`;
  });
}

const prefixOf = (subnet: string): string => subnet.split(".").slice(0, 3).join(".");
const lowerHalf = (subnet: string): string => `${prefixOf(subnet)}.0/25`;
const addressOf = (subnet: string): string => `${prefixOf(subnet)}.200`;

/** IPv4 subnets of an engine's network; none when there is no such network. */
export async function subnetsOf(engine: Engine, network: string): Promise<readonly string[]> {
  const found = await engine.run(["network", "inspect", network], { timeout: 20 });
  const subnet = found.code === 0 ? subnetOf(found.stdout) : undefined;
  return subnet === undefined ? [] : [subnet];
}

/** podman and docker tell it differently. */
function subnetOf(inspected: string): string | undefined {
  const [network] = JSON.parse(inspected) as [
    { subnets?: { subnet: string }[]; Subnets?: { Subnet: string }[]; IPAM?: { Config?: { Subnet: string }[] } }?,
  ];
  return [
    ...(network?.subnets ?? []).map(({ subnet }) => subnet),
    ...(network?.IPAM?.Config ?? []).map(({ Subnet }) => Subnet),
  ].find((subnet) => subnet.includes("."));
}

import type { Environment, OptionValue, ServiceConfig } from "../config/types.ts";
import { SummitError } from "../core/errors.ts";
import { unitText } from "../core/names.ts";
import type { TreeSource } from "../core/ports/tree.ts";
import type { Packs } from "./check-stack.ts";
import { packDigest } from "./pack-digest.ts";
import type { Pack } from "./pack-types.ts";
import { resolveOptions } from "./resolve-options.ts";

export interface StackService extends ServiceConfig {
  readonly spec: Pack;
  readonly digest: string;
  /** Given values and the pack's defaults; absent ones are unset. */
  readonly resolved: Readonly<Record<string, OptionValue>>;
}

export interface StackUnit {
  /** `summit/1` */
  readonly name: string;
  readonly index: number;
  readonly service: StackService;
  /** The machine it runs on: `summit-1`. */
  readonly machine: string;
  readonly leader: boolean;
}

/** What an environment runs, ready to be applied. */
export interface Stack {
  readonly environment: string;
  /** In start order: what a service requires comes before it. */
  readonly services: readonly StackService[];
  readonly units: readonly StackUnit[];
}

/** `packs` come from `loadStack`, which has reported every problem already. */
export async function buildStack(environment: Environment, packs: Packs): Promise<Stack> {
  const services = await Promise.all(
    Object.values(environment.services).map(async (service): Promise<StackService> => {
      const spec = packs.get(service.pack);
      if (spec === undefined) throw new SummitError("unexpected", `the pack ${service.pack} was not loaded`);
      const found = resolveOptions(spec, service.options, []);
      if ("problems" in found)
        throw new SummitError("config", `the options of ${service.name} are wrong`, {
          details: found.problems.map(({ message }) => message),
        });
      return { ...service, spec, digest: await packDigest(spec.folder), resolved: found.options };
    }),
  );
  const ordered = startOrder(services);
  return { environment: environment.name, services: ordered, units: ordered.flatMap(unitsOf) };
}

const unitsOf = (service: StackService): StackUnit[] =>
  Array.from({ length: service.units }, (_, index) => ({
    name: unitText({ service: service.name, index }),
    index,
    service,
    machine: `${service.name}-${index}`,
    leader: index === 0,
  }));

function startOrder(services: readonly StackService[]): StackService[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const ordered = new Set<StackService>();
  const visit = (service: StackService) => {
    if (ordered.has(service)) return;
    for (const target of Object.values(service.relations)) {
      const provider = byName.get(target);
      if (provider !== undefined) visit(provider);
    }
    ordered.add(service);
  };
  // checkStack has refused cycles.
  for (const service of services) visit(service);
  return [...ordered];
}

/** Services that may start at the same time, in waves. */
export function startWaves({ services }: Pick<Stack, "services">): StackService[][] {
  const depth = new Map<string, number>();
  for (const service of services) {
    const required = Object.values(service.relations).map((target) => depth.get(target) ?? 0);
    depth.set(service.name, 1 + Math.max(0, ...required));
  }
  const waves: StackService[][] = [];
  for (const service of services) {
    const wave = (depth.get(service.name) ?? 1) - 1;
    waves[wave] = [...(waves[wave] ?? []), service];
  }
  return waves;
}

export function unitNamed(stack: Stack, name: string): StackUnit {
  const unit = stack.units.find((candidate) => candidate.name === name);
  if (unit !== undefined) return unit;
  throw new SummitError(
    "usage",
    `environment "${stack.environment}" has no unit ${name}, it has ${stack.units.map((candidate) => candidate.name).join(", ")}`,
    {
      hint: `summitctl status -e ${stack.environment}`,
    },
  );
}

/** A relation that is bound: who asks whom for what. */
export interface Binding {
  readonly client: StackService;
  readonly relation: string;
  readonly provider: StackService;
  readonly port: number;
  /** What is asked for, such as a database. */
  readonly name: string;
  /** Name of the secret file that both sides get; undefined when the relation has none. */
  readonly secret: string | undefined;
}

export function bindingsOf({ services }: Pick<Stack, "services">): Binding[] {
  return services.flatMap((client) =>
    Object.entries(client.relations).map(([relation, target]): Binding => {
      const requirement = client.spec.requires[relation];
      const provider = services.find(({ name }) => name === target);
      if (requirement === undefined || provider === undefined)
        throw new SummitError("unexpected", `the relation ${relation} of ${client.name} was not checked`);
      const provision = provider.spec.provides[requirement.interface] ?? { port: 0 };
      const asked = requirement.nameOption === undefined ? undefined : client.resolved[requirement.nameOption];
      return {
        client,
        relation,
        provider,
        port: "port" in provision ? provision.port : Number(provider.resolved[provision.portOption]),
        name: typeof asked === "string" && asked !== "" ? asked : client.name,
        secret: requirement.secret ? `relation-${client.name}-${relation}` : undefined,
      };
    }),
  );
}

/** Databases that the stack's services ask for, and the service that has them. */
export function databasesOf(stack: Stack): { service: StackService; databases: string[] } {
  const service = stack.services.find(({ spec }) => Object.hasOwn(spec.provides, "database"));
  if (service === undefined)
    throw new SummitError("config", `environment "${stack.environment}" has no service that provides a database`, {
      hint: "services: { postgresql: {} }",
    });
  const names = bindingsOf(stack).filter(
    ({ provider, client, relation }) =>
      provider === service && client.spec.requires[relation]?.interface === "database",
  );
  return { service, databases: [...new Set(names.map(({ name }) => name))] };
}

/** The service that traffic enters by: its unit 0 holds the project's address. Undefined: nothing does. */
export const entryService = ({ services }: Pick<Stack, "services">): StackService | undefined =>
  services.find(({ spec }) => spec.entry);

export const isSource = (value: OptionValue | undefined): value is TreeSource =>
  typeof value === "object" && value !== null && !Array.isArray(value);

import { effectiveEnvironment } from "../config/effective-environment.ts";
import { type Finding, locate, type Path, type Problem } from "../config/problems.ts";
import { suggestion } from "../config/suggest.ts";
import type { Config, Environment, ServiceConfig } from "../config/types.ts";
import { checkDatabaseName } from "../core/names.ts";
import type { Pack } from "./pack-types.ts";
import { cycleFindings } from "./relation-cycles.ts";
import { resolveOptions } from "./resolve-options.ts";

/** Packs by their name. */
export type Packs = ReadonlyMap<string, Pack>;

/**
 * Everything in which the environments of a project do not fit the packs of their services. A service whose pack is
 * not in `packs` is passed over.
 */
export function checkStack(config: Config, packs: Packs): readonly Problem[] {
  const findings = Object.keys(config.environments).flatMap((name) => {
    const environment = effectiveEnvironment(config, name);
    const inEnvironment = Object.values(environment.services).flatMap((service) => {
      const pack = packs.get(service.pack);
      return pack === undefined ? [] : serviceFindings({ config, environment, service, pack, packs });
    });
    return [
      ...inEnvironment,
      ...cycleFindings(environment, (service, ...rest) => placeOf(config, name, [service, ...rest])),
    ];
  });
  return locate(findings, config.file.split("/").at(-1) ?? config.file, config.lineOf);
}

interface Place {
  readonly config: Config;
  readonly environment: Environment;
  readonly service: ServiceConfig;
  readonly pack: Pack;
  readonly packs: Packs;
}

const serviceFindings = (place: Place): readonly Finding[] => [
  ...unitFindings(place),
  ...optionFindings(place),
  ...boundFindings(place),
  ...unboundFindings(place),
  ...secretFindings(place),
];

function unitFindings({ config, environment, service, pack }: Place): readonly Finding[] {
  if (pack.maxUnits === undefined || service.units <= pack.maxUnits) return [];
  const path = placeOf(config, environment.name, [service.name, "units"]);
  return [
    {
      path,
      message: `the pack ${pack.name} knows at most ${pack.maxUnits} of them in this version, got ${service.units}`,
    },
  ];
}

function optionFindings({ config, environment, service, pack }: Place): readonly Finding[] {
  const resolved = resolveOptions(pack, service.options, []);
  if ("options" in resolved) {
    return Object.values(pack.requires).flatMap(({ nameOption }) => {
      const name = nameOption === undefined ? undefined : resolved.options[nameOption];
      const message = typeof name === "string" ? checkDatabaseName(name) : undefined;
      return message === undefined || nameOption === undefined
        ? []
        : [{ path: placeOf(config, environment.name, [service.name, "options", nameOption]), message }];
    });
  }
  return resolved.problems.map((problem) => ({
    ...problem,
    path:
      problem.path.length === 0
        ? ["services", service.name, "options"]
        : placeOf(config, environment.name, [service.name, "options", ...problem.path.map(String)]),
  }));
}

/** Relations that are bound: the pack must know them and the other side must provide what they ask for. */
function boundFindings({ config, environment, service, pack, packs }: Place): readonly Finding[] {
  return Object.entries(service.relations).flatMap(([relation, target]) => {
    const path = placeOf(config, environment.name, [service.name, "relations", relation]);
    const requirement = Object.hasOwn(pack.requires, relation) ? pack.requires[relation] : undefined;
    if (requirement === undefined) {
      return [
        {
          path,
          message: `the pack ${pack.name} has no such relation${suggestion(relation, Object.keys(pack.requires))}`,
        },
      ];
    }
    const provider = packs.get(environment.services[target]?.pack ?? "");
    if (provider === undefined || Object.hasOwn(provider.provides, requirement.interface)) return [];
    const provided = Object.keys(provider.provides).join(", ") || "nothing";
    return [
      {
        path,
        message: `expected a service that provides ${requirement.interface}; ${target} (pack ${provider.name}) provides ${provided}`,
      },
    ];
  });
}

function unboundFindings({ environment, service, pack, packs }: Place): readonly Finding[] {
  return Object.entries(pack.requires).flatMap(([relation, requirement]) => {
    if (requirement.optional || Object.hasOwn(service.relations, relation)) return [];
    const able = Object.values(environment.services).find(({ pack: other }) =>
      Object.hasOwn(packs.get(other)?.provides ?? {}, requirement.interface),
    );
    return [
      {
        path: ["services", service.name, "relations"],
        message: `the pack ${pack.name} needs the relation ${relation}, bound to a service that provides ${requirement.interface}`,
        hint: able === undefined ? undefined : `${relation}: ${able.name}`,
      },
    ];
  });
}

function secretFindings({ config, service, pack }: Place): readonly Finding[] {
  return Object.entries(pack.secrets).flatMap(([name, { optional, summary }]) =>
    optional || Object.hasOwn(config.secrets, name)
      ? []
      : [
          {
            path: ["secrets"],
            message: `the pack ${pack.name} of ${service.name} needs the secret ${name}${summary === "" ? "" : `: ${summary}`}`,
            hint: `${name}: { env: ${name.toUpperCase()} }`,
          },
        ],
  );
}

/** Where a value of a service was written: in the environment's overlay if it is there, else in the shared service. */
function placeOf(config: Config, environment: string, [service, ...rest]: readonly [string, ...string[]]): Path {
  const overlay: unknown = config.environments[environment]?.services[service];
  return isThere(overlay, rest)
    ? ["environments", environment, "services", service, ...rest]
    : ["services", service, ...rest];
}

function isThere(value: unknown, path: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return value !== undefined;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, first)) return false;
  return isThere((value as Record<string, unknown>)[first], rest);
}

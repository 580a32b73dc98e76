import type { OptionValue } from "../config/types.ts";
import { bindingsOf, isSource, type Stack, type StackService, type StackUnit } from "./stack.ts";

/** Where things are on a machine. */
export const REMOTE = {
  root: "/var/lib/summitctl",
  packs: "/var/lib/summitctl/packs",
  library: "/var/lib/summitctl/packs/lib.sh",
  installed: "/var/lib/summitctl/installed",
  /** What the install hooks got, a file per service: docs/packs.md. */
  records: "/var/lib/summitctl/packages",
  secrets: "/etc/summitctl/secrets",
  sources: "/srv/summitctl",
  changes: "/run/summitctl/changes",
} as const;

/** The folder above is open to packs, which keep there what their own users may read. */
export const SECRETS_FOLDER = `install -d -m 755 /etc/summitctl; install -d -m 700 ${REMOTE.secrets}`;

export const sourceFolder = (service: string, option: string, revision: string): string =>
  `${REMOTE.sources}/${service}/${option}/${revision}`;

/** Facts that the environment of a hook is made of. */
export interface HookFacts {
  readonly project: string;
  readonly stack: Stack;
  /** Private address per unit name. */
  readonly addresses: ReadonlyMap<string, string>;
  /** `<service>.<option>` to revision. */
  readonly revisions: Readonly<Record<string, string>>;
  /** apt package to version, per service; a package that is not listed takes what the archive has. */
  readonly pins: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The data is still to be restored. */
  readonly deferData: boolean;
}

/** Environment variables of a unit's hooks, as docs/packs.md lists them. */
export function hookEnvironment(facts: HookFacts, unit: StackUnit): Record<string, string> {
  const { service } = unit;
  return {
    ...serviceEnvironment(facts, service),
    SUMMIT_UNIT: unit.name,
    SUMMIT_LEADER: unit.leader ? "1" : "0",
    SUMMIT_IMAGE: "0",
    SUMMIT_HOST: facts.addresses.get(unit.name) ?? "",
    SUMMIT_CLIENTS: clientLines(facts, service),
    SUMMIT_DEFER_DATA: facts.deferData ? "1" : "0",
    ...relationVariables(facts, service),
  };
}

/** What `install` may depend on: nothing of a certain machine. Used for golden images, too. */
export function serviceEnvironment(
  facts: Pick<HookFacts, "project" | "stack" | "revisions" | "pins">,
  service: StackService,
): Record<string, string> {
  return {
    SUMMIT_PROJECT: facts.project,
    SUMMIT_ENVIRONMENT: facts.stack.environment,
    SUMMIT_SERVICE: service.name,
    SUMMIT_PACK: `${REMOTE.packs}/${service.pack}`,
    SUMMIT_LIB: REMOTE.library,
    SUMMIT_PACKAGES: packageWords(service, facts.pins[service.name] ?? {}),
    SUMMIT_SECRETS: REMOTE.secrets,
    SUMMIT_CHANGES: REMOTE.changes,
    ...optionVariables(service, facts.revisions),
  };
}

/** The pack's packages first, then what else is pinned, such as the server behind a metapackage. */
const packageWords = (service: StackService, pins: Readonly<Record<string, string>>): string =>
  [...new Set([...service.spec.packages, ...Object.keys(pins).sort()])]
    .map((name) => (pins[name] === undefined ? name : `${name}=${pins[name]}`))
    .join(" ");

const variable = (name: string): string => name.toUpperCase().replaceAll("-", "_");

function optionVariables(service: StackService, revisions: Readonly<Record<string, string>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const option of Object.keys(service.spec.options)) {
    const value = service.resolved[option];
    const name = `SUMMIT_OPTION_${variable(option)}`;
    if (isSource(value)) {
      const revision = revisions[`${service.name}.${option}`] ?? "";
      variables[name] = revision === "" ? "" : sourceFolder(service.name, option, revision);
      variables[`${name}_REVISION`] = revision;
    } else {
      variables[name] = optionText(value);
    }
  }
  return variables;
}

const optionText = (value: Exclude<OptionValue, object> | readonly string[] | undefined): string =>
  value === undefined ? "" : Array.isArray(value) ? value.join(" ") : String(value);

function relationVariables(facts: HookFacts, service: StackService): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { client, relation, provider, port, name, secret } of bindingsOf(facts.stack)) {
    if (client !== service) continue;
    const prefix = `SUMMIT_${variable(relation)}`;
    variables[`${prefix}_HOSTS`] = addressesOf(facts, provider).join(" ");
    variables[`${prefix}_PORT`] = String(port);
    variables[`${prefix}_NAME`] = name;
    variables[`${prefix}_SECRET`] = secret === undefined ? "" : `${REMOTE.secrets}/${secret}`;
  }
  return variables;
}

const clientLines = (facts: HookFacts, service: StackService): string =>
  bindingsOf(facts.stack)
    .filter(({ provider }) => provider === service)
    .map(({ client, relation, name, secret }) =>
      [
        client.name,
        relation,
        name,
        addressesOf(facts, client).join(","),
        secret === undefined ? "-" : `${REMOTE.secrets}/${secret}`,
      ].join("\t"),
    )
    .join("\n");

const addressesOf = ({ stack, addresses }: HookFacts, service: StackService): string[] =>
  stack.units.filter((unit) => unit.service === service).flatMap((unit) => addresses.get(unit.name) ?? []);

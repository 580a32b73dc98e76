import type { OptionValue } from "../config/types.ts";

export const HOOKS = ["install", "configure", "start", "stop", "health"] as const;
export type HookName = (typeof HOOKS)[number];

export const OPTION_TYPES = ["string", "integer", "boolean", "enum", "list", "source"] as const;
export type OptionType = (typeof OPTION_TYPES)[number];

/** A pack as docs/packs.md describes it, checked. All five hooks are there and executable. */
export interface Pack {
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** apt packages, without versions. */
  readonly packages: readonly string[];
  readonly systemd: readonly string[];
  readonly ports: readonly number[];
  readonly provides: Readonly<Record<string, Provision>>;
  readonly requires: Readonly<Record<string, Requirement>>;
  readonly secrets: Readonly<Record<string, PackSecret>>;
  /** Undefined: as many as summit.yaml allows. */
  readonly maxUnits: number | undefined;
  /** Traffic enters by this service: its unit 0 holds the project's address. */
  readonly entry: boolean;
}

export interface OptionSpec {
  readonly type: OptionType;
  readonly required: boolean;
  readonly default: OptionValue | undefined;
  /** Of integers, both included. */
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** Of enums; empty for the other types. */
  readonly values: readonly string[];
  readonly summary: string;
}

/** Where an interface answers: a port, or the integer option that holds it. */
export type Provision = { readonly port: number } | { readonly portOption: string };

export interface Requirement {
  readonly optional: boolean;
  /** Both sides get one generated password. */
  readonly secret: boolean;
  /** The option whose value names what is asked for; undefined: the service's name. */
  readonly nameOption: string | undefined;
  /** What the other side must provide; the relation's own name when the pack does not say. */
  readonly interface: string;
}

export interface PackSecret {
  readonly summary: string;
  readonly optional: boolean;
}

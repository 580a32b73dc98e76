import { homedir } from "node:os";
import { show } from "../core/names.ts";
import { CONFIG_SCHEMA } from "./config-schema-name.ts";
import { crossChecks } from "./cross-checks.ts";
import { type Finding, locate, type Problem } from "./problems.ts";
import { mapOf } from "./raw-values.ts";
import { readYaml } from "./read-yaml.ts";
import { configSchema } from "./schema.ts";
import { checkSchema } from "./schema-check.ts";
import { toConfig } from "./to-config.ts";
import { isOlder, toolVersion } from "./tool-version.ts";
import type { Config } from "./types.ts";

export interface ParseOptions {
  /** Absolute path of summit.yaml; its base name is what problems are shown with. */
  readonly file: string;
  /** Relative paths count from here. */
  readonly folder: string;
  /** What `~` stands for. */
  readonly home?: string;
  /** Version of this tool, for `minimum_version`. */
  readonly version?: string;
}

/** The text of a summit.yaml as a Config, or everything that is wrong with it, in the order of the file. */
export function parseConfig(
  text: string,
  options: ParseOptions,
): { config: Config } | { problems: readonly Problem[] } {
  const { value, lineOf, findings } = readYaml(text);
  const shown = options.file.split("/").at(-1) ?? options.file;
  const failed = (found: readonly Finding[]) => ({ problems: locate(found, shown, lineOf) });
  if (value === undefined) return failed(findings);
  // A file for another version is not judged by this one's rules.
  const foreign = foreignVersion(value, options.version ?? toolVersion());
  if (foreign !== undefined) return failed([foreign]);

  const checked = checkSchema(configSchema, value);
  const all = [...findings, ...("findings" in checked ? checked.findings : []), ...crossChecks(value)];
  if (all.length > 0 || !("value" in checked)) return failed(all);
  return { config: toConfig(checked.value, { ...options, home: options.home ?? homedir() }, lineOf) };
}

function foreignVersion(value: unknown, version: string): Finding | undefined {
  const { schema, minimum_version: minimum } = mapOf(value);
  if (typeof schema === "string" && schema !== CONFIG_SCHEMA) {
    return {
      path: ["schema"],
      message: `expected ${CONFIG_SCHEMA}, got ${show(schema)}, which summitctl ${version} does not know`,
      hint: `schema: ${CONFIG_SCHEMA}`,
    };
  }
  if (typeof minimum === "string" && isOlder(version, minimum)) {
    return {
      path: ["minimum_version"],
      message: `this project needs summitctl ${minimum} or newer, this is ${version}`,
      hint: `npm install --global summitctl@${minimum}`,
    };
  }
  return undefined;
}

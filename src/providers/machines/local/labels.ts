import type { Machine, MachineSpec } from "../../../core/ports/machines.ts";

export const PROJECT_LABEL = "io.summitctl.project";
export const ENVIRONMENT_LABEL = "io.summitctl.environment";
const NAME_LABEL = "io.summitctl.machine";
const UNITS_LABEL = "io.summitctl.units";
const GENERATION_LABEL = "io.summitctl.generation";

/** What lets a machine be found and understood when every other record of it is lost. */
export const labelFlags = (spec: MachineSpec): string[] =>
  Object.entries({
    [PROJECT_LABEL]: spec.project,
    [ENVIRONMENT_LABEL]: spec.environment,
    [NAME_LABEL]: spec.name,
    [UNITS_LABEL]: spec.units.join(","),
    [GENERATION_LABEL]: String(spec.generation),
  }).flatMap(([label, value]) => ["--label", `${label}=${value}`]);

type Identity = Pick<Machine, "project" | "environment" | "name" | "units" | "generation">;

/** Undefined for containers that are not machines, such as the project's gateway. */
export function identityOf(labels: Readonly<Record<string, string>>): Identity | undefined {
  const { [PROJECT_LABEL]: project, [ENVIRONMENT_LABEL]: environment, [NAME_LABEL]: name } = labels;
  if (project === undefined || environment === undefined || name === undefined) return undefined;
  return {
    project,
    environment,
    name,
    units: (labels[UNITS_LABEL] ?? "").split(",").filter(Boolean),
    generation: Number(labels[GENERATION_LABEL] ?? 0),
  };
}

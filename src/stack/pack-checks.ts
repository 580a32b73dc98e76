import type { Finding } from "../config/problems.ts";
import { at, entriesOf, listOf } from "../config/raw-values.ts";
import { suggestion } from "../config/suggest.ts";
import type { OptionValue } from "../config/types.ts";
import { show } from "../core/names.ts";
import { checkOptionValue } from "./option-value.ts";
import { OPTION_TYPES, type OptionType } from "./pack-types.ts";

/** What the schema of pack.yaml cannot say. Takes the value as written and looks only at what has the right type. */
export function packChecks(raw: unknown): readonly Finding[] {
  return [
    ...entriesOf(at(raw, "options")).flatMap(([name, spec]) => optionFindings(name, spec, raw)),
    ...provideFindings(raw),
    ...requireFindings(raw),
  ];
}

function optionFindings(name: string, spec: unknown, raw: unknown): readonly Finding[] {
  const path = ["options", name];
  const type = OPTION_TYPES.find((known) => known === at(spec, "type"));
  if (type === undefined) return [];
  const findings: Finding[] = [];
  const say = (key: string, message: string): void => void findings.push({ path: [...path, key], message });
  const [minimum, maximum] = [at(spec, "minimum"), at(spec, "maximum")];
  const values = at(spec, "values");
  if (type !== "integer") {
    for (const key of ["minimum", "maximum"])
      if (at(spec, key) !== undefined) say(key, `belongs to integers, this is of type ${type}`);
  }
  if (typeof minimum === "number" && typeof maximum === "number" && minimum > maximum)
    say("minimum", `${minimum} is more than the maximum, ${maximum}`);
  if (type === "enum" && values === undefined) findings.push({ path, message: "an enum needs values" });
  if (type !== "enum" && values !== undefined) say("values", `belongs to enums, this is of type ${type}`);
  if (type === "source" && Object.hasOwn((at(at(raw, "options"), `${name}_revision`) ?? {}) as object, "type")) {
    findings.push({
      path: ["options", `${name}_revision`],
      message: `hooks would see it under the same variable as the revision of the source ${name}`,
    });
  }
  const value = at(spec, "default");
  if (value === undefined) return findings;
  if (at(spec, "required") === true) say("default", "an option that is required has no default");
  if (type === "source") say("default", "a source has no default");
  else findings.push(...defaultFindings({ type, spec, value }, path));
  return findings;
}

function defaultFindings(
  { type, spec, value }: { type: OptionType; spec: unknown; value: unknown },
  path: readonly string[],
): readonly Finding[] {
  if (!isOptionValue(value)) return [];
  const bound = (key: string): number | undefined => {
    const limit = at(spec, key);
    return typeof limit === "number" ? limit : undefined;
  };
  const values = listOf(at(spec, "values")).filter((one) => typeof one === "string");
  const message = checkOptionValue({ type, minimum: bound("minimum"), maximum: bound("maximum"), values }, value);
  return message === undefined ? [] : [{ path: [...path, "default"], message }];
}

const isOptionValue = (value: unknown): value is OptionValue =>
  ["string", "number", "boolean"].includes(typeof value) ||
  (Array.isArray(value) && value.every((one) => typeof one === "string"));

function provideFindings(raw: unknown): readonly Finding[] {
  return entriesOf(at(raw, "provides")).flatMap(([name, provision]) => {
    const path = ["provides", name];
    const option = at(provision, "port_option");
    if (typeof provision !== "object" || provision === null) return [];
    if ((at(provision, "port") === undefined) === (option === undefined))
      return [{ path, message: "expected exactly one of port and port_option" }];
    return typeof option === "string"
      ? namedOption(raw, option, { path: [...path, "port_option"], types: ["integer"] })
      : [];
  });
}

function requireFindings(raw: unknown): readonly Finding[] {
  return entriesOf(at(raw, "requires")).flatMap(([name, requirement]) => {
    const path = ["requires", name];
    const option = at(requirement, "name_option");
    const clash = name.startsWith("option_")
      ? [{ path, message: "a relation's name cannot start with option_: hooks would mistake it" }]
      : [];
    return typeof option === "string"
      ? [...clash, ...namedOption(raw, option, { path: [...path, "name_option"], types: ["string", "enum"] })]
      : clash;
  });
}

function namedOption(
  raw: unknown,
  name: string,
  { path, types }: { path: readonly string[]; types: readonly string[] },
): readonly Finding[] {
  const spec = at(at(raw, "options"), name);
  if (spec === undefined) {
    const known = entriesOf(at(raw, "options")).map(([option]) => option);
    return [{ path, message: `there is no option ${show(name)}${suggestion(name, known)}` }];
  }
  const type = at(spec, "type");
  return typeof type !== "string" || types.includes(type)
    ? []
    : [{ path, message: `expected an option of type ${types.join(" or ")}, ${name} is of type ${type}` }];
}

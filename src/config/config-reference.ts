import { type JsonSchema, jsonSchema } from "./json-schema.ts";

export interface ConfigKey {
  /** `services.<name>.units`, `stores[].url` */
  readonly path: string;
  readonly type: string;
  /** `required`, the default as JSON, or empty. */
  readonly presence: string;
  readonly description: string;
}

/** Every key of summit.yaml as a markdown table, for docs/config.md. */
export function configReference(): string {
  const rows = configKeys().map(
    ({ path, type, presence, description }) =>
      `| \`${path}\` | ${cell(type)} | ${cell(presence)} | ${cell(description)} |`,
  );
  return ["| key | type | default | meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}

/** Every key of summit.yaml in the order of the schema. */
export const configKeys = (): readonly ConfigKey[] => keysOf(jsonSchema(), "");

function keysOf(schema: JsonSchema, path: string): readonly ConfigKey[] {
  const children: (readonly [string, JsonSchema, boolean])[] = Object.entries(schema.properties ?? {}).map(
    ([key, child]) => [path === "" ? key : `${path}.${key}`, child, schema.required?.includes(key) === true],
  );
  if (typeof schema.additionalProperties === "object" && typeof schema.additionalProperties.description === "string") {
    children.push([`${path}.<name>`, schema.additionalProperties, false]);
  }
  return children.flatMap(([childPath, child, required]) => [
    {
      path: childPath,
      type: typeText(child),
      presence: presenceText(child, required),
      description: child.description ?? "",
    },
    ...deeper(child, childPath),
  ]);
}

/** Below a list the keys of its entries, below a union those of the branch that has some. */
function deeper(schema: JsonSchema, path: string): readonly ConfigKey[] {
  if (schema.items !== undefined) return deeper(schema.items, `${path}[]`);
  const branches = schema.anyOf ?? [schema];
  // The value of an option has a description of its own that says how sources look.
  if (path.endsWith(".options.<name>")) return [];
  return branches.flatMap((branch) => keysOf(branch, path));
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(" or ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(" or ");
  if (schema.items !== undefined) return `list of ${typeText(schema.items)}`;
  return TYPES[schema.type ?? ""] ?? "anything";
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  object: "mapping",
};

function presenceText(schema: JsonSchema, required: boolean): string {
  if (required) return "required";
  const value = schema.default;
  if (value === undefined || (typeof value === "object" && Object.keys(value ?? {}).length === 0)) return "";
  return `\`${JSON.stringify(value)}\``;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

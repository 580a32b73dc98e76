import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { configKeys, configReference } from "../../src/config/config-reference.ts";
import { jsonSchema, jsonSchemaText } from "../../src/config/json-schema.ts";

test("the published schema is the current one", async () => {
  expect(await readFile(new URL("../../schema/summit.schema.json", import.meta.url), "utf8")).toBe(jsonSchemaText());
});

test("it knows what is required and lets x- keys through", () => {
  const schema = jsonSchema();
  expect(schema.required).toEqual(["schema", "project", "stores", "services", "environments"]);
  expect(schema).toMatchObject({ additionalProperties: false, patternProperties: { "^x-": {} } });
});

test("every key has a description", () => {
  expect(
    configKeys()
      .filter(({ description }) => description === "")
      .map(({ path }) => path),
  ).toEqual([]);
  expect(configKeys().length).toBeGreaterThan(40);
});

test("the reference is a table with a row for every key", () => {
  const rows = configReference().trimEnd().split("\n");
  expect(rows).toHaveLength(configKeys().length + 2);
  expect(rows.every((row) => row.split(/(?<!\\)\|/).length === 6)).toBe(true);
  expect(rows).toContain('| `local.engine` | `auto` or `podman` or `docker` | `"auto"` | container engine |');
});

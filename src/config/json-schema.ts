import * as z from "zod";
import { configSchema } from "./schema.ts";

export interface JsonSchema {
  [keyword: string]: unknown;
  type?: string;
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

/** JSON Schema (2020-12) of summit.yaml, for editors. schema/summit.schema.json is this, and a test compares them. */
export function jsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    override: ({ jsonSchema: part }) => {
      if (part.type === "object") part.patternProperties = { "^x-": {} };
      if (part.propertyNames !== undefined && typeof part.propertyNames === "object") {
        part.propertyNames = { anyOf: [part.propertyNames, { pattern: "^x-" }] };
      }
      // "Whole number" is all that zod means by these.
      if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
    },
  });
  return { title: "summit.yaml", ...schema } as JsonSchema;
}

/** The published file, byte for byte. */
export const jsonSchemaText = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

import * as z from "zod";
import { keyCheck, labelCheck } from "../config/field-checks.ts";
import { text } from "../config/schema.ts";
import { show } from "../core/names.ts";
import { OPTION_TYPES } from "./pack-types.ts";

export const PACK_SCHEMA = "summitctl.pack.v1";

const key = (what: string) => text(keyCheck(what));
const port = z.int().min(1).max(65535);

const aptPackage = text((name) =>
  /^[a-z0-9][a-z0-9+.-]{1,99}$/.test(name)
    ? undefined
    : `expected the name of an apt package without a version, got ${show(name)}`,
);
const systemdUnit = text((name) =>
  /^[A-Za-z0-9_][A-Za-z0-9@_.:-]{0,99}$/.test(name)
    ? undefined
    : `expected the name of a systemd unit, got ${show(name)}`,
);

const option = z.strictObject({
  type: z.enum(OPTION_TYPES),
  summary: z.string().default(""),
  required: z.boolean().default(false),
  default: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]).optional(),
  minimum: z.int().optional(),
  maximum: z.int().optional(),
  values: z.array(z.string()).min(1).optional(),
});

const requirement = z.strictObject({
  optional: z.boolean().default(false),
  secret: z.boolean().default(false),
  name_option: z.string().optional(),
  interface: key("an interface").optional(),
});

/** `pack.yaml` as written; docs/packs.md says what it means. */
export const packSchema = z.strictObject({
  schema: z.literal(PACK_SCHEMA),
  name: text(labelCheck("pack")),
  summary: z.string().min(1),
  options: z.record(key("an option"), option).default({}),
  packages: z.array(aptPackage).default([]),
  systemd: z.array(systemdUnit).default([]),
  ports: z.array(port).default([]),
  provides: z
    .record(key("an interface"), z.strictObject({ port: port.optional(), port_option: z.string().optional() }))
    .default({}),
  requires: z.record(key("a relation"), requirement).default({}),
  secrets: z
    .record(
      key("a secret's"),
      z.strictObject({ summary: z.string().default(""), optional: z.boolean().default(false) }),
    )
    .default({}),
  max_units: z.int().min(1).max(20).optional(),
  entry: z.boolean().default(false),
});

export type RawPack = z.output<typeof packSchema>;

import * as z from "zod";
import { backupSchema } from "./backup-schema.ts";
import { CONFIG_SCHEMA } from "./config-schema-name.ts";
import * as check from "./field-checks.ts";
import { checkPublicKey } from "./public-key.ts";
import { retentionSchema } from "./retention.ts";
import { checkSettings, notifySchema, scheduleSchema } from "./schedule-schema.ts";
import { secretSchema } from "./secret-schema.ts";
import { checkGitUrl, checkRevision } from "./source-value.ts";
import { storeSchema } from "./store-schema.ts";

/** Text that a check of ours accepts. */
export const text = (accepts: check.FieldCheck) =>
  z.string().superRefine((value, context) => {
    const message = accepts(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const label = (what: string) => text(check.labelCheck(what)).meta({ pattern: check.LABEL_PATTERN });
const key = (what: string) => text(check.keyCheck(what)).meta({ pattern: check.KEY_PATTERN });
const environmentName = () => text(check.environmentNameCheck).meta({ pattern: check.LABEL_PATTERN });

const port = (what: string) =>
  z
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe(`port on 127.0.0.1 for ${what}; 0 does not publish it; absent: a free one is chosen`);

const source = z.strictObject({
  path: text(check.plainTextCheck).optional(),
  git: text(checkGitUrl).optional(),
  revision: text(checkRevision).optional(),
});

const optionValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), source]);

const units = z.int().min(1).max(20).describe("how many units, 1 to 20");
const options = z
  .record(
    key("an option"),
    optionValue.describe("what the pack knows; a source is `{ path: ./app }` or `{ git: URL, revision: REV }`"),
  )
  .describe("options of the pack");
const relations = z
  .record(key("a relation"), label("service").describe("the service that provides it"))
  .describe("what the pack requires, bound to services: `database: postgresql`");

const service = z.strictObject({
  pack: label("pack").optional().describe("pack that installs it; default: the service's own name"),
  units: units.default(1),
  options: options.prefault({}),
  relations: relations.prefault({}),
});

const overlay = z.strictObject({
  units: units.optional(),
  options: options.optional(),
  relations: relations.optional(),
});

const environment = z.strictObject({
  provider: z.enum(["local"]).describe("where its machines come from: `local`, containers on this computer"),
  services: z
    .record(label("service"), overlay.describe("what differs from the shared service"))
    .prefault({})
    .describe("what differs from the shared services, merged key by key"),
});

/** `summit.yaml` as written; parse-config.ts makes a Config of it. */
export const configSchema = z.strictObject({
  schema: z.literal(CONFIG_SCHEMA).describe("version of this format"),
  project: label("project").describe("name of the project; machines, folders and backups carry it"),
  minimum_version: text(check.versionCheck).optional().describe("older versions of summitctl refuse the file"),
  address: z
    .strictObject({ http_port: port("http"), https_port: port("https") })
    .prefault({})
    .describe("where the project answers on this computer"),
  stores: z
    .array(storeSchema)
    .min(1)
    .describe("where backups and state are kept, off the environment; the first is the main one"),
  ssh: z
    .strictObject({
      keys: z
        .array(text(check.plainTextCheck))
        .default([])
        .describe("private keys to offer; default: the agent and the usual files"),
      admins: z.array(text(checkPublicKey)).default([]).describe("public key lines of everybody who is let in"),
      user: text(check.loginCheck).default("summit").describe("login that is created on machines"),
    })
    .prefault({})
    .describe("how machines are reached"),
  secrets: z
    .record(key("a secret's"), secretSchema.describe("where it comes from: exactly one of `env`, `file`, `command`"))
    .prefault({})
    .describe("named secrets that packs ask for; the file holds where they come from, never the value"),
  local: z
    .strictObject({
      engine: z.enum(["auto", "podman", "docker"]).default("auto").describe("container engine"),
      subnet: text(check.subnetCheck)
        .optional()
        .describe("private IPv4 /24 of the project's network; default: a free one"),
      image: text(check.imageCheck).optional().describe("base image; default: Debian 12"),
      golden: z.boolean().default(true).describe("bake packages into an image once, so that machines start in seconds"),
      mirror: text(check.mirrorCheck).optional().describe("Debian mirror to install from"),
    })
    .prefault({})
    .describe("settings of the provider `local`"),
  services: z
    .record(label("service"), service.describe("one service"))
    .describe("what runs, shared by all environments"),
  backup: backupSchema,
  retention: retentionSchema
    .optional()
    .describe("which backups stay when others are removed after each successful one; absent: all of them"),
  schedule: scheduleSchema,
  notify: notifySchema,
  check: checkSettings,
  failover_to: z.array(environmentName()).default([]).describe("environments that a failover may move to, best first"),
  environments: z
    .record(environmentName(), environment.describe("one environment"))
    .describe("running copies of the stack"),
});

export type RawConfig = z.output<typeof configSchema>;
export type RawOptionValue = z.output<typeof optionValue>;
export type RawSecret = z.output<typeof secretSchema>;

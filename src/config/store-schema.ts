import * as z from "zod";
import { show } from "../core/names.ts";
import { type FieldCheck, plainTextCheck } from "./field-checks.ts";
import { retentionSchema, toRetention } from "./retention.ts";
import { parseStoreUrl } from "./store-url.ts";
import type { StoreConfig } from "./types.ts";

const text = (accepts: FieldCheck) =>
  z.string().superRefine((value, context) => {
    const message = accepts(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const storeUrl = z
  .string()
  .superRefine((value, context) => {
    const parsed = parseStoreUrl(value);
    if ("problem" in parsed)
      context.addIssue({ code: "custom", message: parsed.problem, params: { hint: parsed.hint } });
  })
  .meta({ pattern: "^(file:///.|s3://.)" })
  .describe("where backups go: a bucket, `s3://bucket/prefix`, or a folder, `file:///…`");

/** A server, without a path of its own: the bucket and the keys are that. */
function endpointCheck(value: string): string | undefined {
  const example = "such as https://s3.example.org:9000";
  if (!URL.canParse(value) || /\s/.test(value)) return `expected the URL of a server, ${example}`;
  const { protocol, username, password, pathname, search, hash } = new URL(value);
  if (username !== "" || password !== "") return "an endpoint holds no credentials";
  if (protocol !== "https:" && protocol !== "http:") return `expected https or http, got ${show(protocol)}`;
  return pathname === "/" && search + hash === "" ? undefined : `expected a server without a path, ${example}`;
}

const nameCheck =
  (what: string, pattern: RegExp): FieldCheck =>
  (value) =>
    pattern.test(value) ? undefined : `expected ${what}, got ${show(value)}`;

const withSettings = z.strictObject({
  url: storeUrl,
  required: z.boolean().default(true).describe("false: best effort, its failure is a warning and not an error"),
  endpoint: text(endpointCheck).optional().describe("server that speaks S3; absent: AWS"),
  region: text(nameCheck("a region such as eu-central-1", /^[a-z0-9][a-z0-9-]{0,40}$/))
    .optional()
    .describe("of the bucket; default: that of the profile or `AWS_REGION`"),
  path_style: z
    .boolean()
    .optional()
    .describe("whether the bucket stands in the path and not in the host name; default: where there is an `endpoint`"),
  profile: text(plainTextCheck)
    .optional()
    .describe("profile of `~/.aws/config`; default: the AWS SDK looks in the environment, SSO and instance roles"),
  sse: z.enum(["AES256", "aws:kms"]).optional().describe("encryption by the server; default: the bucket's own"),
  kms_key: text(plainTextCheck).optional().describe("id or ARN of the key, with `sse: aws:kms`"),
  storage_class: text(nameCheck("a storage class such as STANDARD_IA", /^[A-Z][A-Z0-9_]{1,40}$/))
    .optional()
    .describe("of new objects; default: the server's own"),
  retention: retentionSchema.optional().describe("what this store keeps, in place of the shared `retention`"),
});

/** One entry of `stores`. */
export const storeSchema = z.union([storeUrl, withSettings]);

/** A checked entry in the words of the code. */
export function toStore(raw: z.output<typeof storeSchema>): StoreConfig {
  const {
    url,
    required,
    retention: own,
    ...more
  } = typeof raw === "string" ? { url: raw, required: true, retention: undefined } : raw;
  const retention = own === undefined ? undefined : toRetention(own);
  const parsed = parseStoreUrl(url);
  if ("problem" in parsed) throw new Error(`a store passed the schema: ${parsed.problem}`);
  if ("path" in parsed) return { ...parsed, required, retention };
  const settings = more as Omit<z.output<typeof withSettings>, "url" | "required" | "retention">;
  return {
    url: parsed.url,
    required,
    retention,
    s3: {
      bucket: parsed.bucket,
      prefix: parsed.prefix,
      endpoint: settings.endpoint?.replace(/\/$/, ""),
      region: settings.region,
      pathStyle: settings.path_style,
      profile: settings.profile,
      encryption: settings.sse === undefined ? undefined : { algorithm: settings.sse, key: settings.kms_key },
      storageClass: settings.storage_class,
    },
  };
}

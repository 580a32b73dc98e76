import * as z from "zod";
import { show } from "../core/names.ts";
import { keyCheck, labelCheck, plainTextCheck } from "./field-checks.ts";
import { text } from "./schema.ts";

export const LOCK_SCHEMA = "summitctl.lock.v1";

const pattern = (expression: RegExp, expected: string) =>
  text((value) => (expression.test(value) ? undefined : `expected ${expected}, got ${show(value)}`));

const service = text(labelCheck("service"));
const digest = pattern(/^(sha256:)?[0-9a-f]{64}$/, "a sha256 digest");
const word = (what: string) => pattern(/^[a-z0-9][a-z0-9_-]{0,39}$/, what);
const image = z.strictObject({ name: text(plainTextCheck), digest });
// Both become `name=version` in an argument of apt-get.
const aptName = pattern(/^[a-z0-9][a-z0-9+.-]{1,99}$/, "the name of an apt package");
const aptVersion = pattern(/^[0-9][A-Za-z0-9.+~:-]{0,99}$/, "the version of an apt package");
const toolVersion = pattern(/^\d{1,6}\.\d{1,6}\.\d{1,6}(-[A-Za-z0-9.-]{1,60})?$/, "a version such as 0.1.0");
const revision = pattern(/^[A-Za-z0-9][A-Za-z0-9:._/-]{0,199}$/, "a revision");

/** `summit.lock` as written. */
export const lockSchema = z.strictObject({
  schema: z.literal(LOCK_SCHEMA),
  summitctl: z.strictObject({ version: toolVersion }),
  images: z.record(word("a provider"), z.record(word("an architecture"), image)).default({}),
  packages: z.record(service, z.record(aptName, aptVersion)).default({}),
  packs: z.record(text(labelCheck("pack")), digest).default({}),
  sources: z.record(service, z.record(text(keyCheck("an option")), revision)).default({}),
  postgresql_major: z.int().min(9).max(99).optional(),
});

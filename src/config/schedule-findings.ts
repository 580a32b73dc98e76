import { parseDuration } from "../core/duration.ts";
import { show } from "../core/names.ts";
import type { Finding } from "./problems.ts";
import { at, mapOf } from "./raw-values.ts";
import { suggestion } from "./suggest.ts";

/** What the schema cannot see: names of secrets that must exist, ages that must be in order. */
export function scheduleFindings(raw: unknown): readonly Finding[] {
  const secrets = Object.keys(mapOf(at(raw, "secrets")));
  const unknown = ["ping", "webhook"].flatMap((key): Finding[] => {
    const name = at(at(at(raw, "notify"), key), "secret");
    if (typeof name !== "string" || secrets.includes(name)) return [];
    return [
      { path: ["notify", key, "secret"], message: `there is no secret ${show(name)}${suggestion(name, secrets)}` },
    ];
  });
  const [warn, crit] = ["warn_age", "crit_age"].map((key) => {
    const value = at(at(raw, "check"), key);
    return typeof value === "string" ? parseDuration(value) : undefined;
  });
  const ages: Finding[] =
    warn !== undefined && crit !== undefined && crit <= warn
      ? [{ path: ["check", "crit_age"], message: "expected more than warn_age" }]
      : [];
  return [...unknown, ...ages];
}

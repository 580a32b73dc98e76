import { show } from "../core/names.ts";
import { backupFindings } from "./backup-schema.ts";
import type { Finding, Path } from "./problems.ts";
import { publicKeyBody } from "./public-key.ts";
import { at, entriesOf, listOf, mapOf } from "./raw-values.ts";
import { repeated } from "./repeated.ts";
import { scheduleFindings } from "./schedule-findings.ts";
import { sourceFindings } from "./secret-schema.ts";
import { storeFindings } from "./store-findings.ts";
import { suggestion } from "./suggest.ts";

/**
 * What a schema cannot say: names that must exist, things that exclude each other. Takes the value as it was
 * written and looks only at what has the right type, so that these problems show together with the schema's.
 */
export function crossChecks(raw: unknown): readonly Finding[] {
  return [
    ...notEmpty(raw, "services"),
    ...notEmpty(raw, "environments"),
    ...storeFindings(raw),
    ...sshFindings(raw),
    ...addressFindings(raw),
    ...secretFindings(raw),
    ...serviceFindings(raw),
    ...environmentFindings(raw),
    ...scheduleFindings(raw),
    ...backupFindings(raw),
  ];
}

function notEmpty(raw: unknown, key: "services" | "environments"): readonly Finding[] {
  const value = at(raw, key);
  const isEmptyMap =
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return isEmptyMap ? [{ path: [key], message: "expected at least one" }] : [];
}

function sshFindings(raw: unknown): readonly Finding[] {
  const ssh = at(raw, "ssh");
  const admins = listOf(at(ssh, "admins")).map((line) => (typeof line === "string" ? publicKeyBody(line) : undefined));
  const publicKeys = listOf(at(ssh, "keys")).flatMap((file, index) =>
    typeof file === "string" && file.endsWith(".pub")
      ? [
          {
            path: ["ssh", "keys", index],
            message: "expected a private key, got a .pub file",
            hint: `keys: [${file.slice(0, -4)}]`,
          },
        ]
      : [],
  );
  return [...publicKeys, ...repeated(admins, ["ssh", "admins"], "the same key")];
}

function addressFindings(raw: unknown): readonly Finding[] {
  const address = at(raw, "address");
  const http = at(address, "http_port");
  return typeof http === "number" && http !== 0 && http === at(address, "https_port")
    ? [{ path: ["address", "https_port"], message: `expected another port than http_port, both are ${http}` }]
    : [];
}

function secretFindings(raw: unknown): readonly Finding[] {
  return entriesOf(at(raw, "secrets")).flatMap(([name, source]) => sourceFindings(source, ["secrets", name]));
}

function serviceFindings(raw: unknown): readonly Finding[] {
  const services = Object.keys(mapOf(at(raw, "services")));
  return entriesOf(at(raw, "services")).flatMap(([name, service]) =>
    overlayFindings(service, ["services", name], services),
  );
}

function environmentFindings(raw: unknown): readonly Finding[] {
  const services = Object.keys(mapOf(at(raw, "services")));
  const environments = Object.keys(mapOf(at(raw, "environments")));
  const unknownTargets = listOf(at(raw, "failover_to")).flatMap((name, index) =>
    typeof name === "string" ? missing(name, environments, { path: ["failover_to", index], what: "environment" }) : [],
  );
  const inside = entriesOf(at(raw, "environments")).flatMap(([name, environment]) => [
    ...(services.includes(name)
      ? [
          {
            path: ["environments", name],
            message: `${show(name)} is a service already; commands take both kinds of names`,
          },
        ]
      : []),
    ...entriesOf(at(environment, "services")).flatMap(([service, overlay]) => {
      const path = ["environments", name, "services", service];
      const known = missing(service, services, { path, what: "service" });
      return known.length > 0 ? known : overlayFindings(overlay, path, services);
    }),
  ]);
  return [...unknownTargets, ...repeated(listOf(at(raw, "failover_to")), ["failover_to"]), ...inside];
}

/** Relations and sources, which services and their overlays have alike. */
function overlayFindings(service: unknown, path: Path, services: readonly string[]): readonly Finding[] {
  const relations = entriesOf(at(service, "relations")).flatMap(([relation, target]) =>
    typeof target === "string"
      ? missing(target, services, { path: [...path, "relations", relation], what: "service" })
      : [],
  );
  const sources = entriesOf(at(service, "options")).flatMap(([option, value]) => {
    const here = [...path, "options", option];
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    const hasPath = Object.hasOwn(value, "path");
    if (hasPath === Object.hasOwn(value, "git"))
      return [{ path: here, message: "expected { path: ./app } or { git: URL, revision: REV }" }];
    return hasPath && Object.hasOwn(value, "revision")
      ? [{ path: [...here, "revision"], message: "a revision belongs to git; a path is taken as it is" }]
      : [];
  });
  return [...relations, ...sources];
}

function missing(
  name: string,
  known: readonly string[],
  { path, what }: { path: Path; what: string },
): readonly Finding[] {
  return known.includes(name) ? [] : [{ path, message: `there is no ${what} ${show(name)}${suggestion(name, known)}` }];
}

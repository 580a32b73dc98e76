import { join } from "node:path";
import { stringify } from "yaml";
import { effectiveEnvironment } from "../../src/config/effective-environment.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { problemText } from "../../src/config/problems.ts";
import { loadStack } from "../../src/stack/load-stack.ts";
import { buildStack, type Stack } from "../../src/stack/stack.ts";

export const PACKS = join(import.meta.dirname, "../../packs");

/** The stack of the example: four services, two units of the app. */
export const EXAMPLE_SERVICES = {
  haproxy: { relations: { backend: "summit" } },
  summit: {
    pack: "django",
    units: 2,
    options: { app: { path: "./app" }, packages: ["python3-pil", "python3-yaml"] },
    relations: { database: "postgresql", cache: "memcached" },
  },
  memcached: { options: { debug: true } },
  postgresql: { options: { port: 5433 } },
};

/** The real packs over a project of these services, as environment `production`. */
export async function stackWith(services: object): Promise<Stack> {
  const text = stringify({
    schema: "summitctl.config.v1",
    project: "conference",
    stores: ["file:///var/backups/conference"],
    secrets: { app_key: { env: "APP_KEY" } },
    services,
    environments: { production: { provider: "local" } },
  });
  const parsed = parseConfig(text, { file: "/p/summit.yaml", folder: "/p", home: "/home/ann", version: "0.1.0" });
  if ("problems" in parsed) throw new Error(parsed.problems.map(problemText).join("\n"));
  return await buildStack(effectiveEnvironment(parsed.config, "production"), await loadStack(parsed.config, [PACKS]));
}

export const unitOf = (stack: Stack, name: string) => {
  const unit = stack.units.find((candidate) => candidate.name === name);
  if (unit === undefined) throw new Error(`no unit ${name}`);
  return unit;
};

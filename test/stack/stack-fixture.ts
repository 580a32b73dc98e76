import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
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

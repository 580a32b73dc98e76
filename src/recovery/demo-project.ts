import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { LOCK_FILE } from "../config/lock-file.ts";

/** One name, so that the next demo finds what a killed one left. */
export const DEMO_PROJECT = "summit-demo";

const APP_KEY = "app_key.secret";

/** Writes a project that runs the example app. Returns its summit.yaml. What an earlier demo left stays. */
export async function writeDemoProject(folder: string, example: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "summit.yaml");
  await writeFile(file, demoConfig(folder, example));
  return file;
}

/** Paths are quoted as JSON strings, which YAML takes as they are. */
/** Takes away the store and the pins of an earlier demo, and makes a new secret. */
export async function emptyDemoProject(folder: string): Promise<void> {
  for (const left of ["store", LOCK_FILE, APP_KEY]) await rm(join(folder, left), { recursive: true, force: true });
  await writeFile(join(folder, APP_KEY), `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
}

const demoConfig = (
  folder: string,
  example: string,
): string => `# The project of "summitctl demo": the example app on this computer.
schema: summitctl.config.v1
project: ${DEMO_PROJECT}
stores: [${JSON.stringify(pathToFileURL(join(folder, "store")).href)}]
secrets:
  app_key: { file: ./${APP_KEY} }
services:
  postgresql: {}
  memcached: {}
  summit:
    pack: django
    options:
      app: { path: ${JSON.stringify(join(example, "app"))} }
      theme: { path: ${JSON.stringify(join(example, "theme"))} }
    relations: { database: postgresql, cache: memcached }
  haproxy:
    relations: { backend: summit }
failover_to: [spare]
environments:
  production: { provider: local }
  spare: { provider: local }
`;

import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** One name, so that the next demo finds what a killed one left. */
export const DEMO_PROJECT = "summit-demo";

const APP_KEY = "app_key.secret";

/** Writes a project that runs the example app into a fresh folder. Returns its summit.yaml. */
export async function writeDemoProject(folder: string, example: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, APP_KEY), `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  const file = join(folder, "summit.yaml");
  await writeFile(file, demoConfig(folder, example));
  return file;
}

/** Paths are quoted as JSON strings, which YAML takes as they are. */
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

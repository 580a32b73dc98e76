import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";

/** One name, so that the next demo finds what a killed one left. */
export const DEMO_PROJECT = "summit-demo";

/** Writes a project that runs the example app into a fresh folder. Returns its summit.yaml. */
export async function writeDemoProject(folder: string, example: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "app_key.secret"), `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  const file = join(folder, "summit.yaml");
  await writeFile(file, stringify(demoConfig(folder, example)));
  return file;
}

const demoConfig = (folder: string, example: string) => ({
  schema: "summitctl.config.v1",
  project: DEMO_PROJECT,
  stores: [pathToFileURL(join(folder, "store")).href],
  secrets: { app_key: { file: "./app_key.secret" } },
  services: {
    postgresql: {},
    memcached: {},
    summit: {
      pack: "django",
      options: { app: { path: join(example, "app") }, theme: { path: join(example, "theme") } },
      relations: { database: "postgresql", cache: "memcached" },
    },
    haproxy: { relations: { backend: "summit" } },
  },
  failover_to: ["spare"],
  environments: { production: { provider: "local" }, spare: { provider: "local" } },
});

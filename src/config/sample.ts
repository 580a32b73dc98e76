import { pathToFileURL } from "node:url";
import { CONFIG_SCHEMA } from "./config-schema-name.ts";

export interface SampleValues {
  readonly project: string;
  /** Absolute path of the folder that the first store is. */
  readonly store: string;
  /** As written into the file. */
  readonly app: string;
  readonly theme: string | undefined;
  readonly secretFile: string;
}

/**
 * A complete summit.yaml that shows every key. `# ` starts an explanation; `#` right before a key switches the key
 * off, and the file stays correct when all of them are switched on.
 */
export function sampleText({ project, store, app, theme, secretFile }: SampleValues): string {
  return `# The stack of one project: what runs, where, and where its backups go.
# Relative paths count from this file's folder, ~ is your home. Keys that start with x- are yours.
schema: ${CONFIG_SCHEMA}
project: ${project}
# Older versions of summitctl refuse the file.
#minimum_version: 0.1.0

# Ports on 127.0.0.1 of this computer; 0 does not publish. Without them free ones are chosen.
#address:
#  http_port: 8080
#  https_port: 0

# Where backups and state are kept. They must survive this computer: mount another disk or a share there.
stores:
  - url: ${yamlText(pathToFileURL(store).href)}
    # false: best effort, its failure is a warning.
    required: true

# How machines are reached. Without keys: the agent and the usual files.
#ssh:
#  user: summit
#  keys: [~/.ssh/id_ed25519]
# Public key lines of everybody else who is let in.
#  admins: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ann]

# Named secrets, each from exactly one source: { env: NAME }, { file: PATH } or { command: "…" }.
secrets:
  app_key: { file: ${yamlText(secretFile)} }
#  mail: { env: SUMMIT_MAIL }
#  sentry: { command: "op read op://ops/sentry/dsn" }

# Machines are containers on this computer.
local:
  engine: auto
  # Bakes packages into an image once; later machines start in seconds.
  golden: true
#  subnet: 10.89.7.0/24
#  image: debian:12
#  mirror: http://deb.debian.org/debian

# What runs. The pack is how it is installed and configured; its name is the service's, unless given.
services:
  postgresql:
    units: 1
    options:
      max_connections: 100
  memcached: {}
  summit:
    pack: django
    units: 2
    options:
      # The folder that holds manage.py. From git: { git: URL, revision: BRANCH-TAG-OR-COMMIT }
      app: { path: ${yamlText(app)} }
${theme === undefined ? "#      theme: { path: ./theme }" : `      theme: { path: ${yamlText(theme)} }`}
    relations:
      database: postgresql
      cache: memcached
  haproxy:
    relations:
      backend: summit

# Without databases: those that services ask for.
backup:
  compression: bzip2
#  databases: [${project}]

# Where a failover may go, best first.
failover_to: [spare]

# Copies of the stack. Each may differ from the shared services, key by key.
environments:
  production:
    provider: local
  spare:
    provider: local
#    services:
#      summit:
#        units: 1
#        options: { workers: 1 }
#        relations: { cache: memcached }
`;
}

/** Text as a YAML scalar that stays text. */
const yamlText = (text: string): string =>
  /^[A-Za-z./~][\w./:%~-]*$/.test(text) && !text.endsWith(":") ? text : JSON.stringify(text);

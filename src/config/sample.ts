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
# A bucket, of AWS or of a server that speaks S3; credentials are found as the AWS command finds them.
#  - url: s3://example-backups/${project}
#    region: eu-central-1
#    profile: backups
#    sse: aws:kms
#    kms_key: alias/backups
#    storage_class: STANDARD_IA
#  - url: s3://example-elsewhere/${project}
#    endpoint: https://s3.example.org
#    path_style: true
#    required: false
#    retention: { last: 1, hourly: 1, daily: 1, weekly: 1, monthly: 24, yearly: 10, within: 2d, floor: 3 }

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
#  ping_url: { env: SUMMIT_PING_URL }
#  chat_url: { file: ~/.config/summit/chat-url }
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
  # bzip2 is smaller, zstd several times as fast
  compression: bzip2
#  databases: [${project}]
# What happens when sessions wait behind a dump, as a migration does and all who come after it: warn, or end the dump.
#  on_blocking: yield 30s
#  level: 9
  # archive is restored by several jobs; sql is plain text.
#  content: archive
  # The hashes of roles' passwords are in encrypted backups only.
#  role_passwords: false
  # Encrypted before anything leaves the machine, to the age1… of two keys or more (age-keygen -o key.txt), each of
  # which opens it alone: keep the second one elsewhere. The identity is for restore, failover and verify.
#  encrypt:
#    recipients: []
#    identity: { file: ~/.config/summitctl/age-key.txt }   # or: { env: NAME }, { command: … }

# Which backups stay when others are removed after each successful one; without, all of them do. UTC.
#retention:
#  last: 3
#  hourly: 24
#  daily: 14
#  weekly: 8
#  monthly: 12
#  yearly: 5
#  within: 2d
# So many good ones stay, whatever the rules say.
#  floor: 3

# When backups are taken by themselves: summitctl schedule run, or summitctl schedule install.
schedule:
  backup: "15 * * * *"
#  timezone: Europe/Berlin
#  jitter: 60s
  # A run that was missed is made up for, once.
  catch_up: true

# Who is told how they went. Plain URLs work too, but whoever has one can use it.
#notify:
#  ping: { secret: ping_url }
#  webhook: { secret: chat_url }
#  command: [mail, -s, backup of the schedule, ops@example.org]
#  on: failure

# What summitctl check takes for too old; without, it follows from the schedule.
#check:
#  warn_age: 2h
#  crit_age: 6h
#  size_drop: 50
#  verify_age: 8d

# Where a failover may go, best first; never to the one that is live.
failover_to: [spare, production]

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

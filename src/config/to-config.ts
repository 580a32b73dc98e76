import { resolve } from "node:path";
import { yieldSeconds } from "./backup-schema.ts";
import type { LineOf } from "./problems.ts";
import { toRetention } from "./retention.ts";
import { toCheck, toNotify, toSchedule } from "./schedule-schema.ts";
import type { RawConfig, RawOptionValue, RawSecret } from "./schema.ts";
import { toStore } from "./store-schema.ts";
import type {
  BackupConfig,
  Config,
  EnvironmentConfig,
  OptionValue,
  SecretSource,
  ServiceConfig,
  ServiceOverlay,
} from "./types.ts";

interface Place {
  readonly file: string;
  readonly folder: string;
  readonly home: string;
}

/** A checked file in the words of the code, its paths absolute. */
export function toConfig(raw: RawConfig, place: Place, lineOf: LineOf): Config {
  const path = (text: string): string => absolutePath(text, place);
  return {
    file: place.file,
    folder: place.folder,
    project: raw.project,
    minimumVersion: raw.minimum_version,
    address: { httpPort: raw.address.http_port, httpsPort: raw.address.https_port },
    stores: raw.stores.map(toStore),
    ssh: { ...raw.ssh, keys: raw.ssh.keys.map(path), admins: raw.ssh.admins.map((line) => line.trim()) },
    secrets: mapValues(raw.secrets, (source) => toSecretSource(source, path)),
    local: { ...raw.local, subnet: raw.local.subnet, image: raw.local.image, mirror: raw.local.mirror },
    services: mapValues(
      raw.services,
      (service, name): ServiceConfig => ({
        name,
        pack: service.pack ?? name,
        units: service.units,
        options: mapValues(service.options, (value) => toOptionValue(value, path)),
        relations: service.relations,
      }),
    ),
    backup: toBackup(raw.backup, path),
    retention: raw.retention === undefined ? undefined : toRetention(raw.retention),
    schedule: toSchedule(raw.schedule),
    notify: toNotify(raw.notify),
    check: toCheck(raw.check),
    failoverTo: raw.failover_to,
    environments: mapValues(
      raw.environments,
      ({ provider, services }): EnvironmentConfig => ({
        provider,
        services: mapValues(services, (overlay) => toOverlay(overlay, path)),
      }),
    ),
    lineOf,
  };
}

function toBackup(raw: RawConfig["backup"], path: (text: string) => string): BackupConfig {
  const { databases, content, compression, level, role_passwords: passwords, encrypt } = raw;
  const identity = encrypt?.identity;
  return {
    databases,
    content,
    compression,
    level,
    rolePasswords: passwords ?? (encrypt?.recipients.length ?? 0) > 0,
    encrypt:
      encrypt === undefined
        ? undefined
        : {
            recipients: encrypt.recipients,
            identity: identity === undefined ? undefined : toSecretSource(identity, path),
          },
    yieldAfter: yieldSeconds(raw.on_blocking),
  };
}

function toOverlay(
  overlay: RawConfig["environments"][string]["services"][string],
  path: (text: string) => string,
): ServiceOverlay {
  return {
    ...(overlay.units === undefined ? {} : { units: overlay.units }),
    ...(overlay.options === undefined
      ? {}
      : { options: mapValues(overlay.options, (value) => toOptionValue(value, path)) }),
    ...(overlay.relations === undefined ? {} : { relations: overlay.relations }),
  };
}

function toOptionValue(value: RawOptionValue, path: (text: string) => string): OptionValue {
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return value.path === undefined ? { git: value.git ?? "", revision: value.revision } : { path: path(value.path) };
}

function toSecretSource({ env, file, command }: RawSecret, path: (text: string) => string): SecretSource {
  if (env !== undefined) return { env };
  return file === undefined ? { command: command ?? "" } : { file: path(file) };
}

/** `~` is the home, anything relative counts from the folder of summit.yaml. */
function absolutePath(text: string, { folder, home }: Place): string {
  if (text === "~" || text.startsWith("~/")) return resolve(home, `.${text.slice(1)}`);
  return resolve(folder, text);
}

const mapValues = <V, W>(
  record: Readonly<Record<string, V>>,
  change: (value: V, key: string) => W,
): Record<string, W> => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));

import type { TreeSource } from "../core/ports/tree.ts";
import type { LineOf } from "./problems.ts";
import type { RetentionPolicy } from "./retention.ts";
import type { CheckConfig, NotifyConfig, ScheduleConfig } from "./schedule-types.ts";

/** One `summit.yaml`, checked, with absolute paths. */
export interface Config {
  /** Absolute path of summit.yaml; relative paths in it count from its folder. */
  readonly file: string;
  readonly folder: string;
  readonly project: string;
  readonly minimumVersion: string | undefined;
  readonly address: AddressConfig;
  readonly stores: readonly StoreConfig[];
  readonly ssh: SshConfig;
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly local: LocalConfig;
  /** Shared defaults; what an environment runs is in `effectiveEnvironment`. */
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly backup: BackupConfig;
  /** Undefined: every backup stays. */
  readonly retention: RetentionPolicy | undefined;
  readonly schedule: ScheduleConfig;
  readonly notify: NotifyConfig;
  readonly check: CheckConfig;
  readonly failoverTo: readonly string[];
  readonly environments: Readonly<Record<string, EnvironmentConfig>>;
  /** For problems that are found later, such as by `checkStack`. */
  readonly lineOf: LineOf;
}

/** Loopback ports on this computer: 0 does not publish, undefined takes a free one. */
export interface AddressConfig {
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
}

/** A folder or a bucket. */
export type StoreConfig = FolderConfig | BucketConfig;

interface FolderConfig {
  /** As written, normalised: `file:///var/backups/summit`. */
  readonly url: string;
  /** Absolute path of the folder. */
  readonly path: string;
  /** False: best effort, a failure is a warning. */
  readonly required: boolean;
  /** In place of the shared one. */
  readonly retention?: RetentionPolicy | undefined;
  readonly s3?: never;
}

interface BucketConfig {
  /** As written, normalised: `s3://bucket/prefix`. */
  readonly url: string;
  readonly required: boolean;
  readonly retention?: RetentionPolicy | undefined;
  readonly s3: S3Config;
  readonly path?: never;
}

export interface S3Config {
  readonly bucket: string;
  /** Without slashes at its ends; empty: the whole bucket. */
  readonly prefix: string;
  /** Undefined: AWS. */
  readonly endpoint: string | undefined;
  /** Undefined: that of the profile or the environment. */
  readonly region: string | undefined;
  /** Undefined: where there is an endpoint. */
  readonly pathStyle: boolean | undefined;
  /** Undefined: wherever the AWS SDK finds credentials. */
  readonly profile: string | undefined;
  readonly encryption: { readonly algorithm: "AES256" | "aws:kms"; readonly key: string | undefined } | undefined;
  readonly storageClass: string | undefined;
}

export interface SshConfig {
  /** Absolute paths of private keys. Empty: the agent and the usual files. */
  readonly keys: readonly string[];
  /** Public key lines of everybody who is let in. */
  readonly admins: readonly string[];
  /** The login that is created on machines. */
  readonly user: string;
}

export type SecretSource =
  | { readonly env: string }
  /** Absolute path. */
  | { readonly file: string }
  /** Run by `sh -c` in the project's folder. */
  | { readonly command: string };

export interface LocalConfig {
  readonly engine: "auto" | "podman" | "docker";
  /** An IPv4 /24; undefined: the first free one. */
  readonly subnet: string | undefined;
  /** Undefined: the provider's own choice. */
  readonly image: string | undefined;
  readonly golden: boolean;
  /** Debian mirror; undefined: the distribution's. */
  readonly mirror: string | undefined;
}

export type OptionValue = string | number | boolean | readonly string[] | TreeSource;

export interface ServiceConfig {
  readonly name: string;
  readonly pack: string;
  readonly units: number;
  /** As given, not yet checked against the pack. Paths of sources are absolute. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Relation of the pack to the service that provides it. */
  readonly relations: Readonly<Record<string, string>>;
}

export interface BackupConfig {
  /** Undefined: the databases that services ask for. */
  readonly databases: readonly string[] | undefined;
  readonly content: "archive" | "sql";
  readonly compression: "bzip2" | "zstd";
  /** Undefined: the compressor's own. */
  readonly level: number | undefined;
  /** Whether dumps of roles hold the hashes of their passwords. */
  readonly rolePasswords: boolean;
  readonly encrypt: EncryptConfig | undefined;
  /** Seconds that a session may wait behind a dump before that is given up; undefined: it is only told of. */
  readonly yieldAfter: number | undefined;
}

export interface EncryptConfig {
  /** Public keys of age; empty: nothing is encrypted any more, and what was can still be opened. */
  readonly recipients: readonly string[];
  readonly identity: SecretSource | undefined;
}

export interface EnvironmentConfig {
  readonly provider: "local";
  /** Only what differs from the shared defaults. */
  readonly services: Readonly<Record<string, ServiceOverlay>>;
}

export type ServiceOverlay = Partial<Pick<ServiceConfig, "units" | "options" | "relations">>;

/** What one environment runs: shared defaults and its own overlay, merged per key. */
export interface Environment {
  readonly name: string;
  readonly provider: "local";
  readonly services: Readonly<Record<string, ServiceConfig>>;
}

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { SummitError } from "../../core/errors.ts";

/** One `s3://` store as summit.yaml names it. */
export interface S3Settings {
  /** `s3://bucket/prefix` */
  readonly url: string;
  readonly bucket: string;
  /** Without slashes at its ends; empty: the whole bucket. */
  readonly prefix: string;
  /** Of a server that is not AWS. */
  readonly endpoint: string | undefined;
  /** Undefined: as the profile or the environment say. */
  readonly region: string | undefined;
  /** Undefined: for every endpoint of one's own. */
  readonly pathStyle: boolean | undefined;
  /** Of ~/.aws/config; undefined: the chain of the AWS SDK. */
  readonly profile: string | undefined;
  readonly encryption: { readonly algorithm: "AES256" | "aws:kms"; readonly key: string | undefined } | undefined;
  readonly storageClass: string | undefined;
}

/** Seconds, so that a link that went silent ends, and how often a request is tried. */
export interface S3Timing {
  readonly connect: number;
  /** Without a byte in either direction. */
  readonly silence: number;
  readonly attempts: number;
  /** For all that is tried to remove what a failure left. */
  readonly cleanup: number;
}

const TIMING: S3Timing = { connect: 10, silence: 60, attempts: 6, cleanup: 30 };

/** What every request of a store needs. */
export interface S3Space {
  readonly settings: S3Settings;
  readonly timing: S3Timing;
  readonly client: S3Client;
  readonly bucket: string;
  /** The name of an object in the bucket. */
  nameOf(key: string): string;
}

/** Opens nothing yet: the first request does, and looks for credentials then. */
export function s3Space(settings: S3Settings, timing: Partial<S3Timing> = {}): S3Space {
  const times = { ...TIMING, ...timing };
  const prefix = settings.prefix === "" ? "" : `${settings.prefix}/`;
  return {
    settings,
    timing: times,
    client: newClient(settings, times),
    bucket: settings.bucket,
    nameOf: (key) => prefix + key,
  };
}

function newClient(settings: S3Settings, timing: S3Timing): S3Client {
  // The floor is Node 20, which the SDK works on; its warning would stand before every command's own output.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const { endpoint, region, profile } = settings;
  const config: S3ClientConfig = {
    maxAttempts: timing.attempts,
    requestHandler: { connectionTimeout: timing.connect * 1000, socketTimeout: timing.silence * 1000 },
    // Sums are chosen per request, as the server is known to compare them; signed URLs must not carry one.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    forcePathStyle: settings.pathStyle ?? (endpoint !== undefined || settings.bucket.includes(".")),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? ownRegion(endpoint) : { region }),
    ...(profile === undefined ? {} : { profile }),
  };
  return new S3Client(config);
}

/** Servers that are not AWS mostly take any region, and this name is what they are set up with. */
const ownRegion = (endpoint: string | undefined): { region?: string } => {
  const fromEnvironment = process.env["AWS_REGION"] || process.env["AWS_DEFAULT_REGION"];
  return endpoint !== undefined && !fromEnvironment ? { region: "us-east-1" } : {};
};

/** Rejects with kind `config` when neither summit.yaml nor the environment nor the profile name a region. */
export async function checkRegion({ client, settings }: S3Space): Promise<void> {
  await client.config.region().catch((error: unknown) => {
    throw new SummitError("config", `no region is known for the store ${settings.url}`, {
      cause: error,
      hint: `in summit.yaml: stores: [{ url: "${settings.url}", region: eu-central-1 }]`,
    });
  });
}

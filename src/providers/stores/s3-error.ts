import { isSummitError, messageOf, SummitError } from "../../core/errors.ts";
import type { S3Space } from "./s3-client.ts";

/** What an error is made of, of the SDK's many kinds. */
interface Facts {
  /** The server's or the SDK's own name of it, such as `SlowDown`. */
  readonly name: string;
  /** Of the answer; undefined: there was none. */
  readonly status: number | undefined;
  /** Where the server says that the bucket is. */
  readonly region: string | undefined;
}

interface Words {
  readonly reason: string;
  readonly hint: string;
}

/** An error of the SDK as the store's, by its name and status; an abort, and what is not the SDK's, as they are. */
export async function s3Error(error: unknown, message: string, space: S3Space): Promise<unknown> {
  if (isSummitError(error)) return error;
  const { name, status, region } = factsOf(error);
  if (name === "AbortError") return error;
  const place = await placeOf(space);
  const { reason, hint } = region === undefined ? wordsOf(name, status, place) : elsewhere(region, place);
  return new SummitError("store", `${message}: ${reason}`, {
    cause: bare(error),
    hint,
    details: ownWords(error),
  });
}

/** Without the request and the answer that hang on it, whose headers nobody should print. */
function bare(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, status } = factsOf(error);
  const copy = new Error(error.message);
  return Object.assign(copy, { name, stack: error.stack, ...(status === undefined ? {} : { status }) });
}

export function factsOf(error: unknown): Facts {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const metadata = fields["$metadata"] as { httpStatusCode?: number } | undefined;
  const headers = (fields["$response"] as { headers?: Record<string, string> } | undefined)?.headers ?? {};
  const region = fields["Region"] ?? headers["x-amz-bucket-region"];
  const status = metadata?.httpStatusCode;
  return {
    name: text(fields["code"]) ?? text(fields["Code"]) ?? text(fields["name"]) ?? "Error",
    status,
    // The server names the right one only where the asked one is wrong.
    region: status !== undefined && status >= 300 && status < 500 && status !== 404 ? text(region) : undefined,
  };
}

/** There is no such object, bucket or upload. */
export const isMissing = (error: unknown): boolean => factsOf(error).status === 404;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

interface Place {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: string | undefined;
  /** `--profile NAME`, to be added to a line of the AWS client. */
  readonly flags: string;
}

async function placeOf({ bucket, client, settings }: S3Space): Promise<Place> {
  const region = await client.config.region().catch(() => "us-east-1");
  const flags = [
    settings.profile === undefined ? "" : ` --profile ${settings.profile}`,
    settings.endpoint === undefined ? "" : ` --endpoint-url ${settings.endpoint}`,
  ].join("");
  return { bucket, region, endpoint: settings.endpoint, flags };
}

function elsewhere(right: string, { bucket, region }: Place): Words {
  if (right === region) return { reason: `the bucket "${bucket}" has another endpoint`, hint: "summitctl doctor" };
  return {
    reason: `the bucket "${bucket}" is in the region ${right}, and ${region} was asked`,
    hint: `in summit.yaml, for that store: region: ${right}`,
  };
}

function wordsOf(name: string, status: number | undefined, place: Place): Words {
  const { bucket, region, endpoint, flags } = place;
  const who = `aws sts get-caller-identity${flags.replace(/ --endpoint-url \S+/, "")}`;
  const listing = `aws s3 ls s3://${bucket}${flags}`;
  const where = endpoint ?? `https://s3.${region}.amazonaws.com`;
  switch (name) {
    case "NoSuchBucket":
      return {
        reason: `there is no bucket "${bucket}"`,
        hint: `aws s3 mb s3://${bucket} --region ${region}${flags}`,
      };
    case "NoSuchKey":
    case "NotFound":
      return { reason: "there is no such object", hint: "summitctl backups list" };
    case "NoSuchUpload":
      return { reason: "somebody removed the upload meanwhile", hint: "summitctl status    # who else is acting?" };
    case "InvalidPart":
    case "InvalidPartOrder":
    case "EntityTooSmall":
      return { reason: "it does not have the parts that it took", hint: AGAIN };
    case "BadDigest":
    case "XAmzContentSHA256Mismatch":
      return { reason: "the bytes were damaged on the way", hint: AGAIN };
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "TokenRefreshRequired":
    case "RequestExpired":
      return {
        reason: "the credentials have expired",
        hint: `aws sso login${flags.replace(/ --endpoint-url \S+/, "")}    # or however you get new ones`,
      };
    case "CredentialsProviderError":
    case "TokenProviderError":
      return {
        reason: "no credentials were found",
        hint: "export AWS_PROFILE=NAME    # or in summit.yaml, for that store: profile: NAME",
      };
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
    case "InvalidToken":
    case "AuthorizationHeaderMalformed":
      return { reason: `the credentials are not valid for region ${region}`, hint: who };
    case "RequestTimeTooSkewed":
      return { reason: "this computer's clock and the server's differ too much", hint: "timedatectl set-ntp true" };
    case "PermanentRedirect":
    case "IllegalLocationConstraintException":
      return {
        reason: `the bucket "${bucket}" is not in the region ${region}`,
        hint: `aws s3api get-bucket-location --bucket ${bucket}${flags}`,
      };
    case "InvalidObjectState":
      return { reason: "it is archived and must be brought back first", hint: "aws s3api restore-object help" };
    case "QuotaExceeded":
    case "InsufficientStorage":
      return { reason: "its quota is used up", hint: `${listing} --recursive --summarize | tail -2` };
    case "TimeoutError":
      return { reason: `${where} did not answer in time`, hint: `curl -sSI ${where}` };
    default:
      return byStatus(name, status, { where, who, listing });
  }
}

const AGAIN = "run the same command again";

function byStatus(
  name: string,
  status: number | undefined,
  { where, who, listing }: { where: string; who: string; listing: string },
): Words {
  if (status === undefined) return { reason: `${where} cannot be reached (${name})`, hint: `curl -sSI ${where}` };
  if (status === 401 || status === 403)
    return { reason: "access denied", hint: `${who}; ${listing}    # who am I, and may I?` };
  if (status === 429 || status === 503) return { reason: `it is overloaded (${name})`, hint: AGAIN };
  if (status === 507) return { reason: "its disks are full", hint: listing };
  if (status >= 500) return { reason: `it failed (${name}, status ${status})`, hint: AGAIN };
  return { reason: `it answered ${name}, status ${status}`, hint: listing };
}

/** What the server said itself, for a reader who knows it. */
function ownWords(error: unknown): readonly string[] {
  const said = messageOf(error).split("\n")[0]?.trim();
  return said === undefined || said === "" || said === "UnknownError" ? [] : [said];
}

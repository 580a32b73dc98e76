import { randomBytes } from "node:crypto";
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import type { S3Settings } from "../../src/providers/stores/s3-client.ts";

/** An S3 server that a test has started, and who may use it. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A new bucket of a server, and what is in it behind the store's back. */
export interface TestBucket {
  readonly settings: S3Settings;
  readonly client: S3Client;
  /** Names of all objects, as the server lists them. */
  names(): Promise<string[]>;
  /** Names of all uploads that nobody has finished. */
  uploads(): Promise<string[]>;
}

/**
 * Makes a bucket and has the store find its credentials where the AWS SDK looks first, in the environment of this
 * process. `endpoint` is that of a proxy before the server.
 */
export async function testBucket(server: S3Server, endpoint: string = server.endpoint): Promise<TestBucket> {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  process.env["AWS_ACCESS_KEY_ID"] = server.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = server.secretAccessKey;
  const bucket = `summit-${randomBytes(4).toString("hex")}`;
  const { accessKeyId, secretAccessKey } = server;
  const client = new S3Client({
    endpoint: server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    settings: {
      url: `s3://${bucket}/back/ups`,
      bucket,
      prefix: "back/ups",
      endpoint,
      region: undefined,
      pathStyle: undefined,
      profile: undefined,
      encryption: undefined,
      storageClass: undefined,
    },
    client,
    async names() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return Contents.map(({ Key = "" }) => Key);
    },
    async uploads() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.map(({ Key = "" }) => Key);
    },
  };
}

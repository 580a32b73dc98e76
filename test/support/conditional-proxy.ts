import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import type { S3Server } from "./s3-server.ts";

export interface ProxyOptions {
  /** What becomes of `If-None-Match: *`; `ignored`: the object is replaced, as many servers do. */
  readonly conditions: "honoured" | "ignored";
  /** Compares `x-amz-checksum-crc32` with what came, and answers it, as AWS does. */
  readonly crc32: boolean;
}

/**
 * An S3 server like AWS, made of one that has no conditions: requests that carry one are queued per object and refused
 * with 412 when the object is there. Knows the credentials, since without that header a request must be signed anew.
 */
export async function startConditionalProxy(
  server: S3Server,
  { conditions, crc32: sums }: ProxyOptions = { conditions: "honoured", crc32: true },
): Promise<S3Server> {
  const queues = new Map<string, Promise<unknown>>();
  const inTurn = async (path: string, act: () => Promise<void>): Promise<void> => {
    const mine = (queues.get(path) ?? Promise.resolve()).then(act, act);
    queues.set(path, mine);
    await mine;
  };
  const proxy = createServer((incoming, answer) => {
    const path = (incoming.url ?? "").split("?")[0] ?? "";
    const conditional = conditions === "honoured" && incoming.headers["if-none-match"] === "*";
    const act = async () => {
      const body = await buffer(incoming);
      const expected = incoming.headers["x-amz-checksum-crc32"];
      const sum = expected === undefined ? undefined : crc32Of(body);
      if (sums && sum !== expected) return refuse(answer, 400, "BadDigest");
      if (conditional && (await exists(server, path))) return refuse(answer, 412, "PreconditionFailed");
      const answered = sums && sum !== undefined ? { "x-amz-checksum-crc32": sum } : {};
      await forward(server, { incoming, body }, answer, answered);
    };
    (conditional ? inTurn(path, act) : act()).catch(() => answer.destroy());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    ...server,
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

function refuse(answer: ServerResponse, status: number, code: string): void {
  answer.writeHead(status, { "content-type": "application/xml" });
  answer.end(`<Error><Code>${code}</Code><Message>by the proxy</Message></Error>`);
}

function crc32Of(body: Buffer): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return sum.toString("base64");
}

/** What the server does not know is taken out. */
const OURS = /^(authorization|if-none-match|host|x-amz-checksum-.*|x-amz-sdk-checksum-algorithm)$/;

async function forward(
  server: S3Server,
  { incoming: { method = "GET", url = "/", headers }, body }: { incoming: IncomingMessage; body: Buffer },
  answer: ServerResponse,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.test(name)));
  const known = withoutSums(body);
  const hash = known === body ? String(headers["x-amz-content-sha256"]) : sha256(known);
  const own = Object.fromEntries(Object.entries(kept).filter(([name]) => name.startsWith("x-amz-")));
  const outgoing = request(server.endpoint + url, {
    method,
    headers: {
      ...kept,
      "content-length": known.length,
      ...signed(server, method, url, { ...own, "x-amz-content-sha256": hash }),
    },
  });
  // Swift sends the end of a body after answers that have none, which is an error once the answer was read.
  outgoing.on("error", () => undefined);
  outgoing.end(known);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  answer.writeHead(response.statusCode ?? 500, { ...response.headers, ...more });
  response.pipe(answer);
  await once(answer, "close");
}

/** Completing an upload names the sums of its parts. */
function withoutSums(body: Buffer): Buffer {
  if (!body.subarray(0, 100).includes("<CompleteMultipartUpload")) return body;
  return Buffer.from(body.toString().replaceAll(/<ChecksumCRC32>[^<]*<\/ChecksumCRC32>/g, ""));
}

const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

async function exists(server: S3Server, path: string): Promise<boolean> {
  const hash = sha256("");
  const headers = signed(server, "HEAD", path, { "x-amz-content-sha256": hash });
  const answer = await fetch(server.endpoint + path, { method: "HEAD", headers });
  return answer.status === 200;
}

/** The headers with AWS's signature, version 4, over all of them and the host. */
function signed(server: S3Server, method: string, url: string, own: Record<string, unknown>): Record<string, string> {
  const { host, pathname, search } = new URL(server.endpoint + url);
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const query = search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
    .sort()
    .join("&");
  const headers: Record<string, string> = { ...(own as Record<string, string>), "x-amz-date": date };
  const toSign = Object.entries({ ...headers, host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = toSign.map(([name]) => name).join(";");
  const lines = toSign.map(([name, value]) => `${name}:${value}`);
  const canonical = [method, pathname, query, ...lines, "", names, headers["x-amz-content-sha256"]];
  const digest = sha256(canonical.join("\n"));
  let key: Buffer | string = `AWS4${server.secretAccessKey}`;
  for (const step of scope.split("/")) key = createHmac("sha256", key).update(step).digest();
  const signature = createHmac("sha256", key).update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${digest}`).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${server.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

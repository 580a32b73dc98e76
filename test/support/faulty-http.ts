import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** What is done to one exchange instead of passing it on unharmed. */
export type Fault =
  /** The proxy's own answer, in the words of S3; `headers` beside it. */
  | { readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>> }
  /** Nothing is answered any more, and the connection stays. */
  | "stall"
  /** The connection is reset before the server sees anything. */
  | "cut"
  /** The server does its work, then the connection is reset before the answer. */
  | "lose answer"
  /** A byte of the body is another one when the server gets it. */
  | "damage"
  /** Half of the answer's body comes, then the connection is reset. */
  | "half answer"
  /** Half of the answer's body comes, then nothing, and the connection stays. */
  | "half stall"
  /** Half of the answer's body comes, and its length is said to be that. */
  | "short answer"
  /** The ETag in the answer is another one. */
  | "wrong etag";

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface FaultyHttp extends AsyncDisposable {
  readonly endpoint: string;
  /** Every exchange is asked about; undefined lets it pass. */
  fault: (exchange: Exchange) => Fault | undefined;
  /** How many exchanges were hurt. */
  readonly hurt: () => number;
}

/** An HTTP proxy on loopback before a server that hurts single exchanges. The Host header stays what was signed. */
export async function startFaultyHttp(target: string): Promise<FaultyHttp> {
  let hurt = 0;
  const proxy = createServer((incoming, answer) => {
    const url = new URL(target + (incoming.url ?? "/"));
    const fault = faulty.fault({ method: incoming.method ?? "GET", path: url.pathname, query: url.searchParams });
    if (fault !== undefined) hurt += 1;
    handle(target, fault, incoming, answer).catch(() => answer.destroy());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const faulty: FaultyHttp = {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    fault: () => undefined,
    hurt: () => hurt,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
  return faulty;
}

async function handle(
  target: string,
  fault: Fault | undefined,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  if (fault === "stall") return void incoming.resume();
  if (fault === "cut") {
    await Promise.race([once(incoming, "data"), once(incoming, "end")]);
    return void incoming.socket.resetAndDestroy();
  }
  const body = await buffer(incoming);
  if (typeof fault === "object") {
    answer.writeHead(fault.status, { "content-type": "application/xml", ...fault.headers });
    return void answer.end(`<Error><Code>${fault.code}</Code><Message>injected</Message></Error>`);
  }
  if (fault === "damage" && body.length > 0) body[0] = (body[0] ?? 0) ^ 1;
  const outgoing = request(target + incoming.url, { method: incoming.method ?? "GET", headers: incoming.headers });
  // Swift sends the end of a body after answers that have none, which is an error once the answer was read.
  outgoing.on("error", () => undefined);
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const content = await buffer(response);
  if (fault === "lose answer") return void incoming.socket.resetAndDestroy();
  const half = content.subarray(0, content.length / 2);
  const headers = { ...response.headers };
  if (fault === "short answer") headers["content-length"] = String(half.length);
  if (fault === "wrong etag") headers.etag = '"00000000000000000000000000000000"';
  answer.writeHead(response.statusCode ?? 500, headers);
  if (fault !== "half answer" && fault !== "half stall")
    return void answer.end(fault === "short answer" ? half : content);
  answer.write(half);
  if (fault === "half answer") setTimeout(() => incoming.socket.resetAndDestroy(), 20);
}

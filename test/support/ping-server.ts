import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface HeardRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

export interface PingServer extends AsyncDisposable {
  readonly url: string;
  readonly heard: HeardRequest[];
  /** Statuses of the next answers, then 200; `stall` never answers, `trickle` never ends its body. */
  readonly answers: (number | "stall" | "trickle")[];
}

/** A real HTTP server on the loopback that remembers what it was told. */
export async function pingServer(): Promise<PingServer> {
  const heard: HeardRequest[] = [];
  const answers: PingServer["answers"] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", headers } = request;
      heard.push({ method, path: url, type: headers["content-type"] ?? "", body });
      const answer = answers.shift() ?? 200;
      if (answer === "stall") return;
      response.writeHead(answer === "trickle" ? 200 : answer);
      if (answer === "trickle") response.write("and");
      else response.end("OK");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/s3cr3t`,
    heard,
    answers,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

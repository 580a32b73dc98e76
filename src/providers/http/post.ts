import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { HttpPost } from "../../core/deps.ts";
import { SummitError } from "../../core/errors.ts";

export const httpPost: HttpPost = ({ url, body, type, timeout }) =>
  new Promise<number>((resolve, reject) => {
    const target = new URL(url.reveal());
    // Node's own words name the host, and a host can be as telling as the path behind it. So no cause either.
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(
        new SummitError("remote", `no answer: ${late.aborted ? `none within ${timeout} s` : (error.code ?? "cut")}`),
      );
    const late = AbortSignal.timeout(timeout * 1000);
    const send = target.protocol === "https:" ? secureRequest : plainRequest;
    const outgoing = send(
      target,
      {
        method: "POST",
        agent: false,
        signal: late,
        headers: { connection: "close", "content-type": type, "content-length": Buffer.byteLength(body) },
      },
      (answer) => {
        answer.on("error", () => {});
        resolve(answer.statusCode ?? 0);
        // Whoever trickles an endless answer is not waited for.
        answer.destroy();
      },
    );
    outgoing.on("error", fail);
    outgoing.end(body);
  });

import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { HttpAnswer, HttpGet } from "../../core/deps.ts";
import { SummitError } from "../../core/errors.ts";

/** At most this much of a page is read: 16 MiB. */
const LIMIT = 16 * 1024 * 1024;

/** Each request has a connection of its own: the address may have moved since the last one. */
export const httpGet =
  (signal: AbortSignal): HttpGet =>
  ({ url, headers, timeout }) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      const target = new URL(url);
      const fail = (cause: unknown) => {
        if (signal.aborted) reject(signal.reason);
        else
          reject(
            new SummitError(
              "remote",
              `${target.origin} did not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
              { cause, hint: "summitctl status" },
            ),
          );
      };
      const send = target.protocol === "https:" ? secureRequest : plainRequest;
      const outgoing = send(
        target,
        {
          agent: false,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout * 1000)]),
          headers: { connection: "close", ...headers },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          let size = 0;
          answer.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (size > LIMIT) outgoing.destroy(new Error(`its page has more than ${LIMIT} bytes`));
            chunks.push(chunk);
          });
          answer.on("error", fail);
          answer.on("end", () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: Object.fromEntries(
                Object.entries(answer.headers).map(([name, value]) => [
                  name,
                  Array.isArray(value) ? value.join(", ") : (value ?? ""),
                ]),
              ),
              body: Buffer.concat(chunks).toString("utf8"),
            }),
          );
        },
      );
      outgoing.on("error", fail);
      outgoing.end();
    });

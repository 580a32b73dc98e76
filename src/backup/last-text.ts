import type { Readable } from "node:stream";

/** Reads a stream to its end and keeps the last `limit` characters of it; the result asks for what came so far. */
export function lastText(stream: Readable, limit: number): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString("utf8")).slice(-limit);
  });
  // How the process ended says it better.
  stream.on("error", () => undefined);
  return () => text;
}

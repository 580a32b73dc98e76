import { Readable } from "node:stream";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { Task } from "../core/ports/output.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { exitWords, judgeDump } from "./judge-dump.ts";
import { lastText } from "./last-text.ts";
import { type Pipeline, type PipelineReport, pipelineScript, reportNonce, type Stage } from "./measured-pipeline.ts";
import { type StoredMeasure, StoredMeter } from "./stored-meter.ts";

export interface DumpRequest {
  readonly server: DatabaseServer;
  readonly store: ObjectStore;
  readonly key: string;
  /** What dumps, what compresses, and what encrypts. */
  readonly stages: readonly [Stage, ...Stage[]];
  readonly task: Task;
}

export interface StoredDump {
  readonly report: PipelineReport;
  readonly stored: StoredMeasure;
}

/**
 * Streams what the stages write on the machine into the store, and believes it only when everything agrees. Nothing
 * is left running, and no object, when it fails.
 */
export async function storeDump(request: DumpRequest, signal: AbortSignal): Promise<StoredDump> {
  const { server, store, key, stages, task } = request;
  const line: Pipeline = { stages, nonce: reportNonce() };
  const stopped = new AbortController();
  const child = await server.shell.open(["sh", "-c", pipelineScript(line)], {
    as: "postgres",
    signal: AbortSignal.any([signal, stopped.signal]),
  });
  const meter = new StoredMeter();
  let report: PipelineReport | undefined;
  // The object is completed only when this has ended well: after the machine's own report was found good.
  async function* body(): AsyncGenerator<Buffer> {
    const messages = lastText(child.stderr, 65_536);
    child.stdin.end();
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      meter.add(chunk);
      task.progress({ bytes: meter.bytes });
      yield chunk;
    }
    report = judgeDump(line, { exit: await exitWords(child), messages: messages(), stored: meter.measure() });
  }
  try {
    const info = await store.put(key, Readable.from(body(), { objectMode: false }), signal);
    const stored = meter.measure();
    if (report !== undefined && info.size === stored.bytes) return { report, stored };
    throw new SummitError("verification", `the store holds ${info.size} bytes of ${key}, ${stored.bytes} were sent`, {
      hint: "run the same command again",
    });
  } catch (error) {
    // The store may have failed while the machine still sends.
    stopped.abort();
    await child.exit.catch(() => undefined);
    throw error;
  }
}

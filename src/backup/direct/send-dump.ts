import { z } from "zod";
import { SummitError } from "../../core/errors.ts";
import type { DirectTransfer, DirectUpload, SentPart } from "../../core/ports/direct-transfer.ts";
import type { RemoteProcess } from "../../core/ports/shell.ts";
import { exitWords, judgeDump } from "../judge-dump.ts";
import { lastText } from "../last-text.ts";
import { PART_SIZE } from "../manifest.ts";
import { type Pipeline, pipelineScript, reportNonce } from "../measured-pipeline.ts";
import type { DumpRequest, StoredDump } from "../store-dump.ts";
import { sendArgv } from "./send-program.ts";
import { hear, Refusals, say, sayRequest } from "./talk.ts";

/** What the program on the machine may say. It runs beside a database, so it is not believed more than that. */
const fact = z.union([
  z.object({ part: z.number().int(), size: z.number().int().nonnegative(), md5: z.string().max(64) }),
  z.object({ part: z.number().int(), etag: z.string().max(300) }),
  z.object({ part: z.number().int(), refused: z.string() }),
  z.object({ pieces: z.array(z.string().regex(/^[0-9a-f]{64}$/)) }),
]);

/**
 * As `storeDump`, but the machine sends the parts itself, to requests that are signed here one by one. The same is
 * asked before the object is made: every process ended well, the counts agree, the store took each part with its sum.
 * Nothing is left running, and no upload, when it fails.
 */
export async function sendDump(request: DumpRequest, direct: DirectTransfer, signal: AbortSignal): Promise<StoredDump> {
  const upload = await direct.begin(request.key);
  const stopped = new AbortController();
  let child: RemoteProcess | undefined;
  try {
    const line: Pipeline = {
      stages: request.stages,
      nonce: reportNonce(),
      sender: sendArgv(),
    };
    child = await request.server.shell.open(["sh", "-c", pipelineScript(line)], {
      as: "postgres",
      signal: AbortSignal.any([signal, stopped.signal]),
    });
    const messages = lastText(child.stderr, 65_536);
    const { parts, pieces } = await serveParts(child, upload, { ...request, direct, signal });
    const bytes = parts.reduce((sum, { size }) => sum + size, 0);
    const exit = await exitWords(child);
    const report = judgeDump(line, { exit, messages: messages(), stored: { bytes } });
    if (pieces?.length !== Math.ceil(bytes / PART_SIZE)) {
      throw new SummitError("verification", `the machine hashed ${pieces?.length ?? 0} pieces of ${bytes} bytes`, {
        hint: "run the same command again",
      });
    }
    await direct.complete(upload, parts, signal);
    return { report, stored: { ...report.outer, partSize: PART_SIZE, parts: pieces } };
  } catch (error) {
    stopped.abort();
    await child?.exit.catch(() => undefined);
    // The next run removes what stays.
    await direct.abort(upload).catch(() => undefined);
    signal.throwIfAborted();
    throw error;
  }
}

type Serving = DumpRequest & { readonly direct: DirectTransfer; readonly signal: AbortSignal };

/** Signs a request for every part that the machine has ready, until it has no more to say. */
async function serveParts(
  child: RemoteProcess,
  upload: DirectUpload,
  { direct, server, store, task, signal }: Serving,
): Promise<{ parts: SentPart[]; pieces: string[] | undefined }> {
  const parts: SentPart[] = [];
  const refusals = new Refusals(signal);
  let pieces: string[] | undefined;
  let ready = { number: 0, size: 0, md5: "" };
  let bytes = 0;
  const sign = async () => sayRequest(child, await direct.signPart(upload, ready));
  say(child, { sizes: partSizes(upload, direct) });
  for await (const said of hear(child)) {
    const found = fact.safeParse(said);
    if (!found.success)
      throw new SummitError("remote", `${server.unit} said something that is no word of a transfer`, {
        hint: "run the same command again",
      });
    const word = found.data;
    if ("pieces" in word) pieces = word.pieces;
    else if ("md5" in word) {
      ready = { number: word.part, size: word.size, md5: word.md5 };
      await sign();
    } else if ("etag" in word) {
      refusals.over();
      parts.push({ number: ready.number, size: ready.size, etag: word.etag });
      bytes += ready.size;
      task.progress({ bytes });
    } else {
      await refusals.wait(`${store.url} refused part ${ready.number} from ${server.unit}`, word.refused);
      await sign();
    }
  }
  return { parts, pieces };
}

/** `[last, size]`: up to the part with that number, parts have that size. */
function partSizes(upload: DirectUpload, direct: DirectTransfer): [last: number, size: number][] {
  const sizes: [number, number][] = [];
  for (let number = 1; number <= upload.maxParts; number += 1) {
    const size = direct.partSize(upload, number);
    const run = sizes.at(-1);
    if (run?.[1] === size) run[0] = number;
    else sizes.push([number, size]);
  }
  return sizes;
}

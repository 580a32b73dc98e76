import { SummitError } from "../core/errors.ts";
import type { RemoteProcess } from "../core/ports/shell.ts";
import { failures, type Pipeline, type PipelineReport, readReport } from "./measured-pipeline.ts";

export async function exitWords(child: RemoteProcess): Promise<string> {
  const { code, signal } = await child.exit;
  return signal ?? `exit status ${code}`;
}

export interface Evidence {
  readonly exit: string;
  /** Its standard error, to the end. */
  readonly messages: string;
  /** What arrived, by the count of this end; the hash when it came through here, else the store compared each part. */
  readonly stored: { readonly bytes: number; readonly sha256?: string };
}

/** How the dump's pipeline went. Throws unless every process succeeded and both ends of the link saw the same bytes. */
export function judgeDump(line: Pipeline, { exit, messages, stored }: Evidence): PipelineReport {
  const found = readReport(messages, line);
  if (found === undefined) {
    throw new SummitError("remote", `${line.stages[0]?.name} did not report its end (${exit})`, {
      details: messages.trim().split("\n").slice(-6),
      hint: "run the same command again; no backup was made",
    });
  }
  const failed = failures(found.report);
  if (failed.length > 0) {
    // Who dies takes with it whoever writes to it: signal 13 is the end of a pipe. What reads just sees an early end.
    const first = failed.filter((text) => !text.endsWith("signal 13"));
    const cause = first.findLast((text) => !text.startsWith("meter ")) ?? first[0] ?? (failed[0] as string);
    throw new SummitError("remote", cause, {
      details: [...failed.filter((text) => text !== cause), ...found.messages.split("\n").slice(-6)].filter(Boolean),
      hint: "no backup was made; see why above, then run the same command again",
    });
  }
  const { outer } = found.report;
  if (outer.bytes !== stored.bytes || outer.sha256 !== (stored.sha256 ?? outer.sha256)) {
    throw new SummitError(
      "verification",
      `the machine sent ${outer.bytes} bytes and ${stored.bytes} arrived, or their hashes differ`,
      { hint: "run the same command again" },
    );
  }
  return found.report;
}

import type { View } from "../core/ports/output.ts";
import { durationText } from "../core/time.ts";
import type { Moment } from "./timeline.ts";

export interface FailoverResult {
  readonly schema: "summitctl.failover.v1";
  readonly from: string;
  readonly to: string;
  readonly generation: number;
  readonly backup: string;
  /** From the operator's agreement to a good page at the project's address. */
  readonly rtoSeconds: number;
  /** Age of the restored data when the failover was agreed to. */
  readonly dataAgeSeconds: number;
  readonly resumed: boolean;
  readonly rows: number;
  readonly url: string | null;
  readonly urls: readonly string[];
  readonly firstBackup: string | null;
  readonly timeline: readonly Moment[];
}

export function failoverView({
  from,
  to,
  generation,
  backup,
  rtoSeconds,
  dataAgeSeconds,
  rows,
  urls,
  firstBackup,
  timeline,
}: FailoverResult): View {
  return [
    { title: "timeline" },
    {
      head: ["from", "to", "took", "step"],
      rows: timeline.map(({ name, from: begin, to: end }) => [at(begin), at(end), durationText(end - begin), name]),
    },
    {
      pairs: [
        ["live", `"${to}" (generation ${generation}); "${from}" is stopped, its disks are kept`],
        ["RTO", durationText(rtoSeconds)],
        ["RPO", `data was ${durationText(dataAgeSeconds)} old, backup ${backup}, ${rows} rows compared`],
        ["first backup", firstBackup ?? "FAILED: summitctl backup"],
        ...urls.map((url): [string, string] => ["", url]),
      ],
    },
    {
      text: `"${from}" can take the next failover only when it is gone; when nothing in it is missed: summitctl destroy -e ${from}`,
    },
  ];
}

const at = (seconds: number): string => `+${seconds.toFixed(1)} s`;

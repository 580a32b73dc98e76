import type { View } from "../core/ports/output.ts";
import { ageText, durationText } from "../core/time.ts";
import { totalRows } from "./database-facts.ts";
import { databaseMembers, dataTime, type Manifest, storedBytes } from "./manifest.ts";

export interface BackupResult {
  readonly schema: "summitctl.backup-taken.v1";
  readonly manifest: Manifest;
  readonly store: string;
  readonly seconds: number;
}

export const backupView = ({ manifest, store, seconds }: BackupResult): View => [
  {
    text: `backup ${manifest.id} of "${manifest.environment}": ${bytesText(storedBytes(manifest))} in ${durationText(seconds)}`,
  },
  { text: `${store.replace(/\/$/, "")}/${manifest.project}/${manifest.environment}/${manifest.id}/` },
];

export interface ManifestResult {
  readonly schema: "summitctl.backup-shown.v1";
  readonly manifest: Manifest;
  readonly store: string;
  readonly storedAt: string;
  readonly now: string;
}

export function manifestView({ manifest, store, now }: ManifestResult): View {
  const { server, members } = manifest;
  return [
    {
      pairs: [
        ["backup", manifest.id],
        ["environment", `${manifest.environment}, generation ${manifest.generation}`],
        ["data from", `${dataTime(manifest).toISOString()} (${ageText(dataTime(manifest), new Date(now))})`],
        ["taken", `${manifest.startedAt} to ${manifest.finishedAt} by summitctl ${manifest.summitctl}`],
        ["server", `PostgreSQL ${server.version}, dumped by pg_dump ${manifest.clientVersion}`],
        ["store", store],
        ...members.slice(0, 1).flatMap(({ encryption }) => (encryption?.recipients ?? []).map(encryptedTo)),
      ],
    },
    {
      head: ["file", "stored", "plain", "sha256"],
      rows: members.map((member) => [
        member.file,
        bytesText(member.stored.bytes),
        bytesText(member.plain.bytes),
        member.stored.sha256.slice(0, 16),
      ]),
    },
    ...databaseMembers(manifest).flatMap(
      ({ database, facts, rows }): View => [
        { title: `database ${database}` },
        {
          pairs: [
            ["owner", facts.owner],
            ["encoding", `${facts.encoding}, ${facts.collate}`],
            ["extensions", facts.extensions.map(({ name, version }) => `${name} ${version}`).join(", ")],
            ["rows", `${totalRows(rows)} in ${rows.length} tables`],
          ],
        },
      ],
    ),
  ];
}

const encryptedTo = (recipient: string, at: number): readonly [string, string] => [
  at === 0 ? "opened by" : "or by",
  recipient,
];

/** `79.1 MB`: powers of 1000, as df -H and the stores' bills count. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

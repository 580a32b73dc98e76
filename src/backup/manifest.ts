import { z } from "zod";
import { SummitError } from "../core/errors.ts";
import { isBackupId } from "../core/names.ts";

/** A backup exists when its manifest exists; every field is explained in docs/formats.md. */
export const MANIFEST_SCHEMA = "summitctl.backup.v1";

/** Stored files are hashed in parts of this size, so that a restore checks before it reads on: 16 MiB. */
export const PART_SIZE = 16 * 1024 * 1024;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const stored = z.strictObject({ bytes: count, sha256, partSize: count.min(1), parts: z.array(sha256) });
const plain = z.strictObject({ bytes: count, sha256 });
const file = z
  .string()
  .regex(/^[A-Za-z0-9_=][A-Za-z0-9_.=+-]*$/)
  .max(255);

/** Bytes in the store are the compressed ones, encrypted to these recipients. Absent: they are not encrypted. */
const encryption = z.strictObject({ kind: z.literal("age"), recipients: z.array(z.string()).min(1) }).optional();
const compression = z.enum(["bzip2", "zstd"]);

const facts = z.strictObject({
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  localeProvider: z.string(),
  icuLocale: z.string().nullable(),
  connectionLimit: z.number().int(),
  comment: z.string().nullable(),
  grants: z
    .array(z.strictObject({ grantee: z.string().nullable(), privilege: z.string(), grantable: z.boolean() }))
    .nullable(),
  settings: z.array(z.strictObject({ role: z.string().nullable(), name: z.string(), value: z.string() })),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  sizeBytes: count,
  /** False where `public` was dropped, which a dump does not tell. Absent in older manifests: it was not looked at. */
  publicSchema: z.boolean().optional(),
});

const databaseMember = z.strictObject({
  kind: z.literal("database"),
  database: z.string().min(1),
  file,
  content: z.enum(["archive", "sql"]),
  compression,
  encryption,
  plain,
  stored,
  /** By the server's clock. */
  snapshotAt: z.iso.datetime(),
  facts,
  rows: z.array(z.tuple([z.string(), z.string(), count])),
});

const rolesMember = z.strictObject({
  kind: z.literal("roles"),
  file,
  content: z.literal("sql"),
  compression,
  encryption,
  /** Whether the hashes of passwords are in it. Absent in older manifests: they are not. */
  passwords: z.boolean().optional(),
  plain,
  stored,
});

/** A dump that summitctl did not take. Nobody counted its rows, and of the database itself only the encoding is known. */
const imported = z.strictObject({
  /** Name of the file, without its folder. */
  file: z.string(),
  packing: z.enum(["plain", "gzip", "bzip2", "zstd"]),
  bytes: count,
  sha256,
  /** Whether the operator said when it was taken; else it is when the file was last written. */
  takenAt: z.enum(["given", "file"]),
});

const manifest = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  id: z.string().refine(isBackupId, "not a backup id"),
  project: z.string(),
  environment: z.string(),
  generation: count,
  summitctl: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  server: z.strictObject({
    version: z.string(),
    versionNumber: count,
    systemIdentifier: z.string(),
    now: z.iso.datetime(),
  }),
  clientVersion: z.string(),
  /** Absent: it was taken by summitctl. */
  imported: imported.optional(),
  members: z.array(z.discriminatedUnion("kind", [databaseMember, rolesMember])).min(1),
});

export type Manifest = z.infer<typeof manifest>;
export type Member = Manifest["members"][number];
export type DatabaseMember = Extract<Member, { kind: "database" }>;
export type Compression = Member["compression"];
export type Content = Member["content"];

/** Throws kind `verification`: of another version (with a hint), cut, altered or no manifest at all. */
export function parseManifest(text: string, where: string): Manifest {
  const value = parseJson(text, where);
  const schema = typeof value === "object" && value !== null && "schema" in value ? value.schema : undefined;
  if (schema !== MANIFEST_SCHEMA) {
    throw new SummitError(
      "verification",
      `${where} has the schema ${JSON.stringify(schema)}, expected "${MANIFEST_SCHEMA}"`,
      {
        hint: "use the summitctl that wrote it, or one that is newer",
      },
    );
  }
  const parsed = manifest.safeParse(value);
  if (!parsed.success) {
    throw new SummitError("verification", `${where} is not a complete manifest`, {
      details: parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".")}: ${message}`),
      hint: "summitctl backups list",
    });
  }
  for (const member of parsed.data.members) checkParts(member, where);
  return parsed.data;
}

function checkParts({ file: name, stored: { bytes, partSize, parts } }: Member, where: string): void {
  const expected = Math.ceil(bytes / partSize);
  if (parts.length !== expected) {
    throw new SummitError(
      "verification",
      `${where} lists ${parts.length} parts of ${name}, its size needs ${expected}`,
      { hint: "summitctl backups list" },
    );
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SummitError("verification", `${where} is not JSON: it was cut or altered`, {
      cause: error,
      hint: "summitctl backups list",
    });
  }
}

export const databaseMembers = ({ members }: Manifest): DatabaseMember[] =>
  members.filter((member): member is DatabaseMember => member.kind === "database");

export const storedBytes = ({ members }: Manifest): number =>
  members.reduce((sum, { stored: { bytes } }) => sum + bytes, 0);

/** When the data of the backup was current: the oldest snapshot in it. */
export const dataTime = (value: Manifest): Date =>
  new Date(
    databaseMembers(value)
      .map(({ snapshotAt }) => snapshotAt)
      .sort()[0] ?? value.startedAt,
  );

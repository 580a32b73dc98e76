import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { byHandLine } from "../../src/backup/by-hand.ts";
import { DEFAULT_FORM, type DumpForm } from "../../src/backup/dump-form.ts";
import { openFiles } from "../../src/backup/encryption/open-files.ts";
import { type DatabaseMember, databaseMembers } from "../../src/backup/manifest.ts";
import { memberKey } from "../../src/backup/read-member.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { verifyBackup } from "../../src/backup/verify-backup.ts";
import { generateIdentity } from "../../src/core/age-keys.ts";
import { memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backupDeps, differences, dumpText, restore } from "./backup-fixture.ts";
import { RICH_ROLES, richDatabase } from "./rich-database.ts";

describe("a rich database goes through backup and restore in every form", () => {
  const { identity, text: identityText } = generateIdentity();
  const lost = generateIdentity().identity;
  const store = memoryStore();
  let cluster: PostgresCluster;
  let folder: string;
  let before: string;

  beforeAll(async () => {
    cluster = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), "summit-forms-"));
    await writeFile(join(folder, "KEY"), identityText.reveal(), { mode: 0o600 });
    await cluster.sql(
      "postgres",
      `${RICH_ROLES} CREATE DATABASE rich TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-AT' LOCALE 'C.UTF-8';`,
    );
    await cluster.sql("rich", richDatabase("rich"));
    before = await dumpText(cluster, "rich");
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const PLAIN: [name: string, form: Partial<DumpForm>, file: RegExp, magic: string][] = [
    ["archive, bzip2", { level: 1 }, /^rich-\d{8}T\d{6}Z\.dump\.bz2$/, "425a68"],
    ["archive, zstd", { compression: "zstd" }, /^rich-\d{8}T\d{6}Z\.dump\.zst$/, "28b52ffd"],
    ["sql, bzip2", { content: "sql" }, /^rich-\d{8}T\d{6}Z\.sql\.bz2$/, "425a68"],
    ["sql, zstd", { content: "sql", compression: "zstd", level: 1 }, /^rich-\d{8}T\d{6}Z\.sql\.zst$/, "28b52ffd"],
  ];
  const recipients = [lost.recipient, identity.recipient];
  const ALL = PLAIN.flatMap(([name, form, file, magic]): typeof PLAIN => [
    [name, form, file, magic],
    [
      `${name}, age`,
      { ...form, recipients },
      new RegExp(file.source.replace(/\$$/, "\\.age$")),
      Buffer.from("age-encryption.org/v1\n").toString("hex"),
    ],
  ]);

  test.each(ALL)("%s", async (name, form, file, magic) => {
    const identities = async () => [identity];
    const manifest = await runBackup(cluster.server(["rich"]), store, backupDeps(), {
      form: { ...DEFAULT_FORM, ...form },
    });
    const member = databaseMembers(manifest)[0] as DatabaseMember;
    expect(member.file).toMatch(file);
    expect(member.encryption?.recipients).toEqual(form.recipients);
    const stored = await buffer(await store.get(memberKey(manifest, member)));
    expect(stored.subarray(0, magic.length / 2).toString("hex")).toBe(magic);

    const as = name.replaceAll(/\W+/g, "_");
    await restore(cluster, {
      manifest,
      store,
      database: "rich",
      as,
      keys: await openFiles({ manifest, store }, identities),
    });
    expect(differences(before, await dumpText(cluster, as))).toEqual([]);
    await cluster.sql("postgres", `DROP DATABASE ${as} WITH (FORCE)`);

    expect(await verifyBackup({ manifest, store }, { ...backupDeps(), identities })).toMatchObject({
      ok: true,
      problems: [],
    });

    await writeFile(join(folder, member.file), stored);
    const line = byHandLine(member).replaceAll("NEW", as);
    await execa("sh", ["-c", line], { env: cluster.env, cwd: folder });
    expect(differences(before, await dumpText(cluster, as))).toEqual([]);
    await cluster.sql("postgres", `DROP DATABASE ${as}`);
  });
});

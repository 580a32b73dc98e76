import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBackup } from "../../src/backup/catalog.ts";
import { totalRows } from "../../src/backup/database-facts.ts";
import { databaseMembers, type Manifest } from "../../src/backup/manifest.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backupDeps, databasesOf, differences, dumpText, restore } from "./backup-fixture.ts";
import { RICH_ROLES, richDatabase } from "./rich-database.ts";

describe("a rich database goes through backup and restore", () => {
  const NAME = `Weird "Name" $(id) it's`;
  let cluster: PostgresCluster;
  let other: PostgresCluster;
  let folder: string;
  let store: ObjectStore;
  let manifest: Manifest;
  let before: string;

  beforeAll(async () => {
    [cluster, other] = await Promise.all([startPostgres(), startPostgres()]);
    folder = await mkdtemp(join(tmpdir(), "summit-backup-"));
    store = fileStore(pathToFileURL(folder).href);
    const name = `"${NAME.replaceAll('"', '""')}"`;
    await cluster.sql(
      "postgres",
      `${RICH_ROLES} CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-AT' LOCALE 'C.UTF-8';`,
    );
    await cluster.sql(NAME, richDatabase(name));
    before = await dumpText(cluster, NAME, "--create");
    manifest = await runBackup(cluster.server([NAME]), store, backupDeps());
  });
  afterAll(async () => {
    await Promise.all([cluster?.[Symbol.asyncDispose](), other?.[Symbol.asyncDispose]()]);
    await rm(folder, { recursive: true, force: true });
  });

  test("the dump that is compared holds what it is compared for", () => {
    for (const word of [
      "LOCALE_PROVIDER = icu",
      "CREATE POLICY",
      "lo_create('777002')",
      "SET search_path TO 'app', 'Other Schema', 'public'",
      "GENERATED ALWAYS",
      "ATTACH PARTITION",
      "CREATE PUBLICATION",
      "EVENT TRIGGER",
      "INHERITS",
      "ALTER SCHEMA public OWNER TO boss",
      "GRANT ALL ON SCHEMA public TO readers WITH GRANT OPTION",
      "COMMENT ON SCHEMA public IS 'not ours",
    ]) {
      expect(before).toContain(word);
    }
  });

  test("the manifest is complete, and is what the store has", async () => {
    const found = await findBackup(store, "schedule", { id: manifest.id, environment: "production" });
    expect(found.manifest).toEqual(manifest);
    expect(manifest).toMatchObject({
      project: "schedule",
      environment: "production",
      generation: 3,
      summitctl: "0.1.0-test",
    });
    const [member] = databaseMembers(manifest);
    expect(member?.facts).toMatchObject({ owner: "app", localeProvider: "i", icuLocale: "de-AT", connectionLimit: 17 });
    expect(new Map(member?.rows.map(([schema, table, rows]) => [`${schema}.${table}`, rows]))).toEqual(
      new Map(
        Object.entries({
          'Other Schema.Weird "Name" $(id)': 40,
          "app.car": 2,
          "app.empty": 0,
          "app.event_2025": 365,
          "app.event_2026_0": expect.any(Number),
          "app.event_2026_1": expect.any(Number),
          "app.event_rest": 30,
          "app.no_columns": 1,
          "app.person": 502,
          "app.session": 30,
          "app.vehicle": 1,
        }),
      ),
    );
    expect(totalRows(member?.rows as never)).toBe(502 + 40 + 700 + 1 + 3 + 30);
  });

  test("the stored files are sound bzip2 files of the sizes that the manifest tells", async () => {
    for (const { file, plain, stored } of manifest.members) {
      const path = join(folder, "schedule", "production", manifest.id, file);
      const { stdout } = await execa("sh", [
        "-c",
        'sha256sum <"$1" && bzip2 -dc "$1" | sha256sum && bzip2 -dc "$1" | wc -c && wc -c <"$1"',
        "sh",
        path,
      ]);
      expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
        stored.sha256,
        plain.sha256,
        String(plain.bytes),
        String(stored.bytes),
      ]);
    }
  });

  test("no password, not even its hash, is in what is stored", async () => {
    const text = await execa(
      "sh",
      [
        "-c",
        'cat "$1"/manifest.json; for f in "$1"/*.bz2; do bzip2 -dc "$f"; done',
        "sh",
        join(folder, "schedule", "production", manifest.id),
      ],
      { maxBuffer: 1e9 },
    );
    expect(text.stdout).toContain("CREATE ROLE reporter");
    expect(text.stdout).not.toMatch(/SCRAM-SHA-256|secret-of|PASSWORD/);
  });

  test("beside the source, under its name, whose old holder is kept", async () => {
    const result = await restore(cluster, { manifest, store, database: NAME, replace: true });
    expect(differences(before, await dumpText(cluster, NAME, "--create"))).toEqual([]);
    expect(result.kept).toMatch(/_replaced_\d{8}T\d{6}Z$/);
    expect(differences(await dumpText(cluster, NAME), await dumpText(cluster, result.kept as string))).toEqual([]);
    expect(await databasesOf(cluster)).toEqual([NAME, result.kept].sort());
  });

  test("into a fresh cluster, with the roles", async () => {
    const rolesText = async (of: PostgresCluster) =>
      (await of.run(["pg_dumpall", "--roles-only", "--no-role-passwords"])).replaceAll(/^\\(un)?restrict .*$/gm, "");
    const result = await restore(other, { manifest, store, database: NAME });
    expect(differences(before, await dumpText(other, NAME, "--create"))).toEqual([]);
    expect(differences(await rolesText(cluster), await rolesText(other))).toEqual([]);
    expect(result).toMatchObject({ database: NAME, kept: undefined, totalRows: 1276 });
    expect(await databasesOf(other)).toEqual([NAME]);
  });

  test("again under another name, over roles that are there", async () => {
    await restore(other, { manifest, store, database: NAME, as: "second" });
    expect(differences(await dumpText(other, NAME), await dumpText(other, "second"))).toEqual([]);
    expect(await databasesOf(other)).toEqual([NAME, "second"]);
  });

  test("by hand, with nothing but bunzip2 and pg_restore", async () => {
    const [member] = databaseMembers(manifest);
    await other.run(["createdb", "by_hand", "--template=template0", "--locale-provider=icu", "--icu-locale=de-AT"]);
    await execa(
      "sh",
      [
        "-c",
        'bunzip2 -c "$1" | pg_restore -d by_hand',
        "sh",
        join(folder, "schedule", "production", manifest.id, member?.file ?? ""),
      ],
      { env: other.env },
    );
    expect(differences(await dumpText(cluster, NAME), await dumpText(other, "by_hand"))).toEqual([]);
  });

  test("a backup of what was restored tells the same rows and facts", async () => {
    const again = await runBackup(other.server([NAME]), store, backupDeps());
    const [first, second] = [manifest, again].map((value) => databaseMembers(value)[0]);
    expect(second?.rows).toEqual(first?.rows);
    expect({ ...second?.facts, sizeBytes: 0 }).toEqual({ ...first?.facts, sizeBytes: 0 });
  });
});

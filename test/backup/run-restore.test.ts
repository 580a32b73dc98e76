import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/backup/catalog.ts";
import { databaseMembers, type Manifest, PART_SIZE } from "../../src/backup/manifest.ts";
import { sha256 } from "../../src/core/digest.ts";
import { SummitError } from "../../src/core/errors.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { backUp, backupDeps, databasesOf, differences, dumpText, restore } from "./backup-fixture.ts";

let cluster: PostgresCluster;
let folder: string;
let manifest: Manifest;
let whole: MemoryStore;

beforeAll(async () => {
  cluster = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), "summit-restore-"));
  await cluster.sql("postgres", "CREATE ROLE app LOGIN; CREATE DATABASE summit OWNER app");
  await cluster.sql(
    "summit",
    "CREATE TABLE talk AS SELECT n, md5(n::text) AS title FROM generate_series(1, 5000) n; CREATE TABLE marker AS SELECT 'backed up' AS which; CREATE EXTENSION hstore; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app",
  );
  whole = memoryStore();
  manifest = await backUp(cluster, whole, "summit");
  await cluster.sql("summit", "UPDATE marker SET which = 'live'");
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const which = async (database = "summit") => (await cluster.sql(database, "SELECT which FROM marker"))[0];
const member = () => databaseMembers(manifest)[0] as NonNullable<ReturnType<typeof databaseMembers>[0]>;
const keyOf = (file: string) => `schedule/production/${manifest.id}/${file}`;

/** Owner, grants and comment of each schema. */
const schemasOf = (database: string) =>
  cluster.sql(
    database,
    `SELECT nspname, pg_get_userbyid(nspowner), coalesce(nspacl, acldefault('n', nspowner)), obj_description(oid, 'pg_namespace')
     FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`,
  );

/** The store with one file of the backup changed or, when undefined, taken away. */
function damaged(change: (body: Buffer) => Buffer | undefined, file = member().file): MemoryStore {
  const store = memoryStore();
  for (const [key, object] of whole.objects) store.objects.set(key, object);
  const object = store.objects.get(keyOf(file)) as { body: Buffer; storedAt: Date };
  const body = change(Buffer.from(object.body));
  if (body === undefined) store.objects.delete(keyOf(file));
  else store.objects.set(keyOf(file), { ...object, body });
  return store;
}

/** The manifest, changed in the place of its database. */
const altered = (change: (copy: ReturnType<typeof member>) => void): Manifest => {
  const copy = structuredClone(manifest);
  change(databaseMembers(copy)[0] as ReturnType<typeof member>);
  return copy;
};

const flipped = (body: Buffer): Buffer => {
  const middle = body.length >> 1;
  body.writeUInt8(body.readUInt8(middle) ^ 1, middle);
  return body;
};

describe("what cannot be trusted is refused, and nothing that was there has changed", () => {
  let before: string[];
  beforeEach(async () => {
    before = await databasesOf(cluster);
  });
  afterEach(async () => {
    expect(await databasesOf(cluster)).toEqual(before);
    expect(await which()).toBe("live");
  });
  const refused = (store: MemoryStore, value = manifest, over: object = {}) =>
    restore(cluster, { manifest: value, store, database: "summit", replace: true, ...over }).then(
      () => expect.fail("it was restored"),
      (error: SummitError) => error,
    );

  test("a file that was cut", async () => {
    expect(await refused(damaged((body) => body.subarray(0, -1)))).toMatchObject({
      kind: "verification",
      message: expect.stringMatching(/is damaged: summit-.* has \d+ bytes, expected/),
    });
  });
  test("a file that is missing", async () => {
    expect(await refused(damaged(() => undefined))).toMatchObject({
      kind: "verification",
      message: expect.stringContaining("is missing"),
    });
  });
  test("a file of roles that is missing", async () => {
    expect(await refused(damaged(() => undefined, manifest.members[1]?.file))).toMatchObject({ kind: "verification" });
  });
  test("one bit in the middle", async () => {
    expect(await refused(damaged(flipped))).toMatchObject({
      kind: "verification",
      message: expect.stringMatching(/part 1 of 1 of summit-.* is not what was stored/),
    });
  });
  test("one bit in the roles", async () => {
    expect(await refused(damaged(flipped, manifest.members[1]?.file))).toMatchObject({ kind: "verification" });
  });
  test("another file of the same size", async () => {
    const foreign = (body: Buffer) =>
      Buffer.concat([gzipSync("foreign"), Buffer.alloc(body.length)]).subarray(0, body.length);
    expect(await refused(damaged(foreign))).toMatchObject({ kind: "verification" });
  });
  test("another file, with a manifest that was altered to fit", async () => {
    const foreign = gzipSync(Buffer.alloc(50_000, "foreign"));
    const fitting = altered(({ stored }) => {
      Object.assign(stored, { bytes: foreign.length, sha256: sha256(foreign), parts: [sha256(foreign)] });
    });
    expect(
      await refused(
        damaged(() => foreign),
        fitting,
      ),
    ).toMatchObject({ kind: "remote", message: expect.stringContaining("pg_restore ended") });
  });
  test("a dump that was cut before it was stored, by a pg_dump that said all is well", async () => {
    const { stdout } = await execa("sh", ["-c", "bzip2 -dc | head -c 60000 | bzip2 -c"], {
      input: whole.objects.get(keyOf(member().file))?.body as Buffer,
      encoding: "buffer",
    });
    const cut = Buffer.from(stdout);
    const fitting = altered(({ stored }) => {
      Object.assign(stored, { bytes: cut.length, sha256: sha256(cut), parts: [sha256(cut)] });
    });
    expect(
      await refused(
        damaged(() => cut),
        fitting,
      ),
    ).toMatchObject({ kind: "remote" });
  });
  test("a plain stream that is not the one that was dumped", async () => {
    const value = altered(({ plain }) => {
      plain.sha256 = sha256("other");
    });
    expect(await refused(whole, value)).toMatchObject({
      kind: "verification",
      message: expect.stringContaining("are not what was dumped"),
    });
  });
  test("other rows than the manifest promises", async () => {
    const value = altered(({ rows }) => {
      rows.splice(1, 1, ["public", "talk", 5001]);
      rows.push(["public", "gone", 0]);
    });
    expect(await refused(whole, value)).toMatchObject({
      kind: "verification",
      details: ["table public.talk has 5000 rows, expected 5001", "table public.gone is missing, expected 0 rows"],
    });
  });
  test("an extension that did not arrive", async () => {
    const value = altered(({ facts }) => facts.extensions.push({ name: "postgis", version: "3" }));
    expect(await refused(whole, value)).toMatchObject({
      kind: "verification",
      details: ["extension postgis is missing"],
    });
  });
  test("a locale that this server does not have", async () => {
    const value = altered(({ facts }) => {
      facts.collate = "xx_XX.UTF-8";
    });
    const error = await refused(whole, value);
    expect(error).toMatchObject({ kind: "remote" });
    expect(error.details.join("\n")).toContain("xx_XX.UTF-8");
  });
  test("a newer server's backup", async () => {
    const value = { ...manifest, server: { ...manifest.server, version: "99.1", versionNumber: 990_001 } };
    expect(await refused(whole, value)).toMatchObject({
      kind: "check",
      message: expect.stringMatching(/is from PostgreSQL 99\.1, .* which is older/),
    });
  });
  test("a database that the backup does not have", async () => {
    expect(await refused(whole, manifest, { database: "other" })).toMatchObject({
      kind: "check",
      message: expect.stringContaining('it has "summit"'),
    });
  });
  test("a name that is taken, without --replace", async () => {
    expect(await refused(whole, manifest, { replace: false })).toMatchObject({
      kind: "check",
      message: expect.stringContaining('database "summit" exists'),
    });
  });
  test.each([
    ["tables", "CREATE TABLE theirs (id int)"],
    ["nothing but a large object", "SELECT lo_create(0)"],
    ["nothing but a function", "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
  ])("an incoming database of somebody else, with %s", async (_what, content) => {
    await cluster.sql("postgres", "CREATE DATABASE summit_incoming");
    await cluster.sql("summit_incoming", content);
    expect(await refused(whole)).toMatchObject({
      kind: "check",
      message: 'a database "summit_incoming" exists that no restore has made',
    });
    await cluster.sql("postgres", "DROP DATABASE summit_incoming");
  });
  test("an abort half-way", async () => {
    const abort = new AbortController();
    const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
    const store = {
      ...whole,
      get: async (...args: Parameters<MemoryStore["get"]>) => {
        if (args[0] === keyOf(member().file)) abort.abort(reason);
        return await whole.get(...args);
      },
    };
    const call = restore(
      cluster,
      { manifest, store, database: "summit", replace: true },
      backupDeps({ signal: abort.signal }),
    );
    await expect(call).rejects.toMatchObject({ kind: "interrupted" });
  });
});

describe("a restore", () => {
  afterEach(async () => {
    for (const name of await databasesOf(cluster))
      if (name !== "summit") await cluster.sql("postgres", `DROP DATABASE "${name}"`);
  });

  test("under a new name touches nothing else", async () => {
    const result = await restore(cluster, { manifest, store: whole, database: "summit", as: "copy" });
    expect(result).toMatchObject({ database: "copy", totalRows: 5001, kept: undefined });
    expect([await which("copy"), await which()]).toEqual(["backed up", "live"]);
    expect(await databasesOf(cluster)).toEqual(["copy", "summit"]);
  });

  test.each([
    ["as every new database has it", "SELECT 1"],
    ["dropped", "DROP SCHEMA public"],
    [
      "dropped, with an extension elsewhere",
      "DROP SCHEMA public; CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext",
    ],
    ["with another owner", "ALTER SCHEMA public OWNER TO app"],
    ["with PUBLIC let in, as before version 15", "GRANT CREATE ON SCHEMA public TO PUBLIC"],
    ["with grants taken away", "REVOKE ALL ON SCHEMA public FROM PUBLIC, pg_database_owner"],
    ["with another owner and grants", "ALTER SCHEMA public OWNER TO app; GRANT USAGE ON SCHEMA public TO pg_monitor"],
    ["with another comment", "COMMENT ON SCHEMA public IS 'ours: it''s \\ odd'"],
    ["without its comment", "COMMENT ON SCHEMA public IS NULL"],
    ["dropped and made again", "DROP SCHEMA public; CREATE SCHEMA public"],
    [
      "made again by the app",
      "DROP SCHEMA public; CREATE SCHEMA public AUTHORIZATION app; GRANT ALL ON SCHEMA public TO PUBLIC",
    ],
  ])("brings the schema public back %s", async (_how, sql) => {
    await cluster.sql("postgres", "CREATE DATABASE shape OWNER app TEMPLATE template0");
    await cluster.sql("shape", `${sql}; CREATE SCHEMA app; CREATE TABLE app.talk AS SELECT 1 AS n`);
    const store = memoryStore();
    const value = await backUp(cluster, store, "shape");
    await restore(cluster, { manifest: value, store, database: "shape", as: "again" });
    const [before, after] = await Promise.all(["shape", "again"].map((name) => schemasOf(name)));
    expect(after).toEqual(before);
    expect(differences(await dumpText(cluster, "shape"), await dumpText(cluster, "again"))).toEqual([]);
  });

  test("of a manifest that does not tell whether there was a schema public leaves the new one", async () => {
    const value = altered(({ facts }) => {
      delete facts.publicSchema;
    });
    await restore(cluster, { manifest: value, store: whole, database: "summit", as: "older" });
    expect(await which("older")).toBe("backed up");
  });

  test("takes the place of an empty database, extensions apart, and keeps nothing of it", async () => {
    await cluster.sql("postgres", "CREATE DATABASE target");
    await cluster.sql("target", "CREATE EXTENSION citext");
    expect(
      await restore(cluster, { manifest, store: whole, database: "summit", as: "target", replace: true }),
    ).toMatchObject({ kept: undefined });
    expect(await databasesOf(cluster)).toEqual(["summit", "target"]);
  });

  test("keeps a database that has no tables but somebody's functions", async () => {
    await cluster.sql("postgres", "CREATE DATABASE target");
    await cluster.sql("target", "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    const { kept } = await restore(cluster, {
      manifest,
      store: whole,
      database: "summit",
      as: "target",
      replace: true,
    });
    expect(kept).toMatch(/^target_replaced_/);
    expect(await cluster.sql(kept as string, "SELECT theirs()")).toEqual(["1"]);
  });

  test("names of 63 bytes find room for what they are called meanwhile and afterwards", async () => {
    const name = `${"ü".repeat(31)}x`;
    await restore(cluster, { manifest, store: whole, database: "summit", as: name });
    const { kept } = await restore(cluster, { manifest, store: whole, database: "summit", as: name, replace: true });
    expect(await databasesOf(cluster)).toEqual(["summit", kept as string, name].sort());
  });

  test("removes what an earlier one left, marked or made a moment before the mark", async () => {
    for (const mark of [
      "COMMENT ON DATABASE copy_incoming IS 'summitctl: a restore under way, not in use'",
      "SELECT 1",
    ]) {
      await cluster.sql("postgres", `CREATE DATABASE copy_incoming; `);
      await cluster.sql("postgres", mark);
      if (mark.startsWith("COMMENT")) await cluster.sql("copy_incoming", "CREATE TABLE half (id int)");
      await restore(cluster, { manifest, store: whole, database: "summit", as: "copy", replace: true });
    }
    expect((await databasesOf(cluster)).filter((name) => name.endsWith("_incoming"))).toEqual([]);
    expect(await which("copy")).toBe("backed up");
  });

  test("over many roles that are there already, where one that fails does not go under", async () => {
    const many = "CREATE ROLE app;\n".repeat(5000);
    const roles = async (sql: string) => {
      const { stdout } = await execa("bzip2", ["-c"], { input: sql, encoding: "buffer" });
      const body = Buffer.from(stdout);
      const copy = structuredClone(manifest);
      Object.assign(copy.members[1] as object, {
        plain: { bytes: Buffer.byteLength(sql), sha256: sha256(sql) },
        stored: { bytes: body.length, sha256: sha256(body), partSize: PART_SIZE, parts: [sha256(body)] },
      });
      return { manifest: copy, store: damaged(() => body, copy.members[1]?.file), database: "summit", as: "copy" };
    };
    const failing = restore(cluster, await roles(`CREATE ROLE x IN ROLE nosuch;\n${many}`));
    await expect(failing).rejects.toMatchObject({ kind: "remote", message: expect.stringContaining("SQLSTATE 42704") });
    expect(await databasesOf(cluster)).toEqual(["summit"]);
    await restore(cluster, await roles(many));
  });

  test("swaps at one moment: clients see the old or the new one, never none or a half one", async () => {
    await cluster.sql("postgres", "CREATE DATABASE busy TEMPLATE summit");
    let over = false;
    const hammer = async () => {
      const seen: string[] = [];
      while (!over) {
        // A connection may be refused or cut at the swap; an answer is the old or the new one, whole.
        const [answer = "nothing"] = await cluster
          .sql("busy", "SELECT which || ' ' || (SELECT count(*) FROM talk) FROM marker")
          .catch(({ message }: Error) => [
            /does not exist|terminating connection|closed the connection/.exec(message)?.[0] ?? message,
          ]);
        if (seen.at(-1) !== answer) seen.push(answer);
      }
      return seen;
    };
    await using shell = cluster.shell();
    const idle = await shell.open(["psql", "-X", "-d", "busy", "-c", "SELECT pg_sleep(600)"], { as: "postgres" });
    for (const stream of [idle.stdout, idle.stderr]) stream.resume();
    const clients = Array.from({ length: 4 }, hammer);
    const { kept } = await restore(cluster, { manifest, store: whole, database: "summit", as: "busy", replace: true });
    expect(await which("busy")).toBe("backed up");
    over = true;
    for (const seen of await Promise.all(clients)) {
      const answers = seen.filter((answer) => answer.endsWith("000"));
      expect(["live 5000", "live 5000,backed up 5000"]).toContain(String(answers));
      const cuts = seen.filter((answer) => !answer.endsWith("000"));
      expect(
        cuts.filter((cut) => !["does not exist", "terminating connection", "closed the connection"].includes(cut)),
      ).toEqual([]);
    }
    expect((await idle.exit).code).not.toBe(0);
    expect(await which(kept as string)).toBe("live");
  });

  test("kill -9 half-way, then again: the old one served until the new one was whole", async () => {
    const url = pathToFileURL(join(folder, "store")).href;
    const store = fileStore(url);
    const value = await backUp(cluster, store, "summit");
    const script = fileURLToPath(new URL("./cut-short.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", script, cluster.folder, url, "restore", "summit"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await databasesOf(cluster)).toEqual(["summit", "summit_incoming"]);
    const { backups } = await readCatalog(store, "schedule", "production");
    expect(backups.map((backup) => backup.manifest.id)).toEqual([value.id]);
    const { kept } = await restore(cluster, { manifest: value, store, database: "summit", replace: true });
    expect(await databasesOf(cluster)).toEqual(["summit", kept as string].sort());
  });
});

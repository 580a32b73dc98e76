import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/backup/catalog.ts";
import { databaseMembers, type Manifest } from "../../src/backup/manifest.ts";
import { checkSizes } from "../../src/backup/read-member.ts";
import { runBackup } from "../../src/backup/run-backup.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { memoryStore } from "../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../support/postgres.ts";
import { watchedStore } from "../support/watched-store.ts";
import { backUp, backupDeps, restore } from "./backup-fixture.ts";

let cluster: PostgresCluster;
let folder: string;

beforeAll(async () => {
  cluster = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), "summit-backup-"));
  await cluster.sql("postgres", "CREATE DATABASE summit; CREATE DATABASE tiny");
  // Big enough that a dump cannot end while nobody reads it: 20 MB.
  await cluster.sql(
    "summit",
    "CREATE TABLE talk AS SELECT n, repeat(md5(n::text), 4) AS title FROM generate_series(1, 150000) n; CREATE TABLE room (id int)",
  );
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const isDump = (key: string): boolean => key.endsWith(".dump.bz2");

/** Nobody is connected but who asks. */
async function waitUntilAlone(): Promise<void> {
  for (;;) {
    const [others] = await cluster.sql(
      "postgres",
      "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    if (others === "0") return;
  }
}

/** A shell that finds these programs first. */
async function shellWith(programs: Record<string, string>) {
  const bin = await mkdtemp(join(cluster.folder, "bin-"));
  await chmod(bin, 0o755);
  for (const [name, script] of Object.entries(programs))
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return cluster.shell({ env: { PATH: `${bin}:/usr/bin:/bin` } });
}

describe("a backup", () => {
  test("is there with its manifest, and says what it did", async () => {
    const store = memoryStore();
    const deps = backupDeps({ now: () => new Date("2026-11-22T14:38:00.500Z") });
    const manifest = await runBackup(cluster.server(["summit"]), store, deps);
    expect(manifest.id).toMatch(/^20261122T143800Z-[a-z0-9]{6}$/);
    expect(manifest.members.map(({ file }) => file)).toEqual([
      "summit-20261122T143800Z.dump.bz2",
      "roles-20261122T143800Z.sql.bz2",
    ]);
    expect([...store.objects.keys()].sort()).toEqual(
      ["manifest.json", "roles-20261122T143800Z.sql.bz2", "summit-20261122T143800Z.dump.bz2"].map(
        (file) => `schedule/production/${manifest.id}/${file}`,
      ),
    );
    expect(databaseMembers(manifest)[0]?.rows).toEqual([
      ["public", "room", 0],
      ["public", "talk", 150_000],
    ]);
    expect(deps.out.tasks.map(({ title, state }) => [title, state])).toEqual([
      ["dump summit", "done"],
      ["dump roles", "done"],
    ]);
    expect(deps.out.tasks[0]?.progress.at(-1)?.bytes).toBe(manifest.members[0]?.stored.bytes);
    await waitUntilAlone();
  });

  test("of several databases, also of odd names, has each of them", async () => {
    const names = ["$(id)", "a\"b'c", "ünï☃", "with space", "roles"];
    for (const name of names) await cluster.sql("postgres", `CREATE DATABASE "${name.replaceAll('"', '""')}"`);
    const manifest = await runBackup(cluster.server(names), memoryStore(), backupDeps());
    expect(databaseMembers(manifest).map(({ database }) => database)).toEqual(names);
    for (const name of names) await cluster.sql("postgres", `DROP DATABASE "${name.replaceAll('"', '""')}"`);
  });

  test("counts are those of the dump, whatever is written meanwhile", async () => {
    const inserted = { done: false };
    const store = watchedStore(memoryStore(), {
      onFirstBytes: async (key) => {
        if (!isDump(key)) return;
        await cluster.sql("summit", "INSERT INTO talk VALUES (-1, 'late'); INSERT INTO room VALUES (-1)");
        inserted.done = true;
      },
    });
    const manifest = await runBackup(cluster.server(["summit"]), store, backupDeps());
    expect(inserted.done).toBe(true);
    expect(databaseMembers(manifest)[0]?.rows).toEqual([
      ["public", "room", 0],
      ["public", "talk", 150_000],
    ]);
    await cluster.sql("postgres", "CREATE DATABASE spare");
    await restore(cluster, { manifest, store, database: "summit", as: "spare", replace: true });
    expect(await cluster.sql("spare", "SELECT count(*) FROM talk")).toEqual(["150000"]);
    await cluster.sql("postgres", "DROP DATABASE spare");
    await cluster.sql("summit", "DELETE FROM talk WHERE n < 0; DELETE FROM room");
  });
});

describe("what goes wrong leaves no backup", () => {
  async function failing(over: {
    store?: ReturnType<typeof watchedStore>;
    shell?: Awaited<ReturnType<typeof shellWith>>;
    databases?: string[];
    signal?: AbortSignal;
    lockWait?: number;
  }) {
    const memory = memoryStore();
    const deps = backupDeps(over.signal === undefined ? {} : { signal: over.signal });
    const store = over.store ?? memory;
    const server = cluster.server(over.databases ?? ["summit"], over.shell);
    const error = await runBackup(
      server,
      store,
      deps,
      over.lockWait === undefined ? {} : { lockWait: over.lockWait },
    ).then(
      () => expect.fail("a backup was made"),
      (thrown: SummitError) => thrown,
    );
    expect(await store.list("")).toEqual([]);
    expect(deps.out.tasks.filter(({ state }) => state === "running")).toEqual([]);
    await waitUntilAlone();
    return { error, deps };
  }

  test("the database does not exist", async () => {
    const { error } = await failing({ databases: ["summit", "nosuch"] });
    expect(error).toMatchObject({
      kind: "remote",
      message: expect.stringContaining('"nosuch"'),
      details: [expect.stringContaining("does not exist")],
    });
  });

  test("there is nothing to back up", async () => {
    expect((await failing({ databases: [] })).error).toMatchObject({ kind: "config" });
  });

  test.each(["-x", "a/b", "a\nb", "dbname=summit host=elsewhere", "postgres://elsewhere/x", "", "x".repeat(300)])(
    "the name %j",
    async (name) => {
      expect((await failing({ databases: [name] })).error).toMatchObject({ kind: "usage" });
    },
  );

  test.each([
    ["says so", "exit 1", "pg_dump ended with exit status 1"],
    ["is killed", "kill -9 $$", "pg_dump ended with signal 9"],
  ])("pg_dump dies half-way and %s", async (_how, end, message) => {
    const shell = await shellWith({
      pg_dump: `[ "$1" = --version ] && exec /usr/bin/pg_dump "$@"; /usr/bin/pg_dump "$@" | head -c 9000000; ${end}`,
    });
    expect((await failing({ shell })).error).toMatchObject({ kind: "remote", message });
  });

  test("the server ends pg_dump's connection", async () => {
    const store = watchedStore(memoryStore(), {
      onFirstBytes: () =>
        cluster.sql(
          "postgres",
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'summitctl backup%' AND query LIKE 'COPY %'",
        ),
    });
    // bzip2 reads a block at a time: pg_dump cannot be done while the store waits.
    const shell = await shellWith({ lbzip2: 'exec bzip2 "$@"' });
    const { error } = await failing({ store, shell });
    expect(error).toMatchObject({ kind: "remote", message: "pg_dump ended with exit status 1" });
    expect(error.details.join("\n")).toMatch(/terminating connection|closed the connection/);
  });

  test("pg_dump is not installed", async () => {
    const shell = await shellWith({ pg_dump: "exec summit-no-such-program" });
    expect((await failing({ shell })).error).toMatchObject({
      kind: "remote",
      message: "pg_dump ended with exit status 127",
    });
  });

  test("the compressor dies, and pg_dump with it", async () => {
    const shell = await shellWith({ lbzip2: "head -c 50000; kill -9 $$" });
    expect((await failing({ shell })).error).toMatchObject({ kind: "remote", message: "lbzip2 ended with signal 9" });
  });

  test("the machine has no compressor", async () => {
    const bin = join(cluster.folder, "no-bzip2");
    await mkdir(bin);
    await execa("sh", ["-c", 'ln -s /usr/bin/* "$1" && rm "$1"/*bzip2', "sh", bin]);
    expect((await failing({ shell: cluster.shell({ env: { PATH: bin } }) })).error).toMatchObject({
      kind: "check",
      message: "postgresql/0 has no bzip2",
    });
  });

  test("the list of roles is cut, though pg_dumpall says that all is well", async () => {
    const shell = await shellWith({ pg_dumpall: '/usr/bin/pg_dumpall "$@" | head -n 5; exit 0' });
    expect((await failing({ shell, databases: ["tiny"] })).error).toMatchObject({
      kind: "verification",
      message: expect.stringContaining("roles"),
    });
  });

  test("the store is full", async () => {
    const target = await mkdtemp(join(folder, "full-"));
    await execa("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", target]);
    try {
      const { error } = await failing({ store: fileStore(pathToFileURL(target).href) });
      expect(error).toMatchObject({ kind: "store", message: expect.stringContaining("the disk is full") });
    } finally {
      await execa("umount", [target]);
    }
  });

  test("the store does not take the manifest", async () => {
    const refuse = (key: string) => {
      if (key.endsWith("manifest.json")) throw new SummitError("store", "gone");
    };
    expect(
      (await failing({ store: watchedStore(memoryStore(), { beforePut: refuse }), databases: ["tiny"] })).error,
    ).toMatchObject({
      kind: "store",
    });
  });

  test("the store takes the manifest, and its answer is lost: the manifest goes before its files do", async () => {
    const memory = memoryStore();
    const removed: string[] = [];
    const store: ObjectStore = {
      ...memory,
      put: async (key, ...rest) => {
        const info = await memory.put(key, ...rest);
        if (key.endsWith("manifest.json")) throw new SummitError("store", "the answer was lost");
        return info;
      },
      delete: async (key) => {
        removed.push(key);
        await memory.delete(key);
      },
    };
    expect((await failing({ store, databases: ["tiny"] })).error).toMatchObject({ kind: "store" });
    expect(removed[0]).toMatch(/manifest\.json$/);
  });

  test("the store changes its mind about the size", async () => {
    const memory = memoryStore();
    const store = {
      ...memory,
      put: async (...args: Parameters<typeof memory.put>) => ({ ...(await memory.put(...args)), size: 7 }),
    };
    expect((await failing({ store, databases: ["tiny"] })).error).toMatchObject({ kind: "verification" });
  });

  test("an abort half-way", async () => {
    const abort = new AbortController();
    const reason = new SummitError("interrupted", "interrupted by Ctrl-C");
    const store = watchedStore(memoryStore(), { onFirstBytes: () => abort.abort(reason) });
    expect((await failing({ store, signal: abort.signal })).error).toMatchObject({ kind: "interrupted" });
  });

  test("a table is locked for longer than it waits", async () => {
    await using shell = cluster.shell();
    const migration = await shell.open(["psql", "-X", "-q", "-At", "-d", "summit"], { as: "postgres" });
    migration.stdin.write("BEGIN; ALTER TABLE room ADD COLUMN x int; SELECT 'locked';\n");
    await once(migration.stdout, "data");
    const memory = memoryStore();
    const error = await runBackup(cluster.server(["summit"]), memory, backupDeps(), { lockWait: 1 }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ kind: "remote", message: "pg_dump ended with exit status 1" });
    expect((error as SummitError).details.join("\n")).toMatch(/timeout/);
    expect(memory.objects.size).toBe(0);
  });

  test("what could not be removed is told, and removed by the next backup", async () => {
    const memory = memoryStore();
    const store = {
      ...watchedStore(memory, {
        beforePut: (key) =>
          key.endsWith("manifest.json") ? Promise.reject(new SummitError("store", "gone")) : undefined,
      }),
      delete: () => Promise.reject(new SummitError("store", "gone")),
    };
    const deps = backupDeps();
    await expect(runBackup(cluster.server(["tiny"]), store, deps)).rejects.toMatchObject({ kind: "store" });
    expect(deps.out.warnings).toEqual([expect.stringContaining("the next backup will do it")]);
    expect(memory.objects.size).toBe(2);
    expect((await readCatalog(memory, "schedule", undefined)).backups).toEqual([]);
    const manifest = await backUp(cluster, memory, "tiny");
    expect([...memory.objects.keys()].every((key) => key.includes(manifest.id))).toBe(true);
  });
});

describe("beside others", () => {
  // Another list of databases: summit.yaml was changed between the two.
  test.each([
    ["the same database", ["summit"]],
    ["another database", ["tiny"]],
    ["the database that the lock is in", ["postgres"]],
  ])("a second backup, of %s, is refused while the first one runs, which goes on", async (_what, databases) => {
    const memory = memoryStore();
    let second: unknown;
    const store = watchedStore(memory, {
      onFirstBytes: async (key) => {
        if (!key.includes("/roles-")) return;
        // By now an object of the first one is in the store, which has no manifest yet.
        second = await runBackup(cluster.server(databases), memory, backupDeps()).catch((error: unknown) => error);
      },
    });
    const manifest = await runBackup(cluster.server(["summit"]), store, backupDeps());
    expect(second).toMatchObject({
      kind: "locked",
      message: expect.stringMatching(
        /^another backup of production postgresql\/0 is running: summitctl backup \d{8}T\d{6}Z-\w{6} \S+, since 20\S+Z$/,
      ),
    });
    expect((await readCatalog(memory, "schedule", undefined)).backups.map((backup) => backup.manifest.id)).toEqual([
      manifest.id,
    ]);
    await checkSizes(memory, manifest);
  });

  test("the database that the lock is in can be backed up itself", async () => {
    const manifest = await runBackup(cluster.server(["postgres", "tiny"]), memoryStore(), backupDeps());
    expect(databaseMembers(manifest).map(({ database }) => database)).toEqual(["postgres", "tiny"]);
  });

  test("a backup whose lock was lost on the way is none", async () => {
    const memory = memoryStore();
    const store = watchedStore(memory, {
      onFirstBytes: (key) =>
        key.includes("/roles-")
          ? cluster.sql(
              "postgres",
              "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()",
            )
          : undefined,
    });
    await expect(runBackup(cluster.server(["tiny"]), store, backupDeps())).rejects.toMatchObject({ kind: "remote" });
    expect(memory.objects.size).toBe(0);
  });

  test("a server that ends idle sessions does not end the lock", async () => {
    await cluster.sql("postgres", "ALTER ROLE postgres SET idle_session_timeout = '100ms'");
    try {
      const store = watchedStore(memoryStore(), {
        onFirstBytes: () => cluster.sql("postgres", "SELECT pg_sleep(0.4)"),
      });
      await runBackup(cluster.server(["tiny"]), store, backupDeps());
    } finally {
      await cluster.sql("postgres", "ALTER ROLE postgres RESET idle_session_timeout");
    }
  });

  test("only leftovers of backups are removed: not whole ones, not what people put there, not other environments'", async () => {
    const store = memoryStore();
    const first = await backUp(cluster, store, "tiny");
    const stay = [
      "schedule/production/README.txt",
      "schedule/production/notes/20261122/x",
      `schedule/production/${first.id}/records/kept.json`,
      "schedule/spare/20261122T143800Z-abcdef/x.dump.bz2",
      "schedule/_state/generations/00000001.json",
    ];
    const go = ["x.dump.bz2", "records/kept.json", "more/manifest.json"];
    for (const key of [...stay, ...go.map((file) => `schedule/production/20261122T143800Z-abcdef/${file}`)])
      await store.put(key, Buffer.from("x"));
    const second = await backUp(cluster, store, "tiny");
    const files = ({ id, members }: Manifest) =>
      [...members.map(({ file }) => file), "manifest.json"].map((file) => `schedule/production/${id}/${file}`);
    expect([...store.objects.keys()].sort()).toEqual([...stay, ...files(first), ...files(second)].sort());
    expect((await readCatalog(store, "schedule", "production")).backups).toHaveLength(2);
  });

  test("kill -9 half-way: nothing counts, and the next backup, of any list, cleans up after it", async () => {
    const root = join(folder, "killed");
    const url = pathToFileURL(root).href;
    const script = fileURLToPath(new URL("./cut-short.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", script, cluster.folder, url, "backup", "summit"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    // As long as it runs, a backup of other databases is refused, and touches nothing of it.
    const running = await fileStore(url).list("");
    await expect(backUp(cluster, fileStore(url), "tiny")).rejects.toMatchObject({ kind: "locked" });
    expect(await fileStore(url).list("")).toEqual(running);
    child.kill("SIGKILL");
    await once(child, "exit");
    await waitUntilAlone();
    const store = fileStore(url);
    expect((await store.list("")).map(({ key }) => key)).toEqual([expect.stringMatching(/summit-.*\.dump\.bz2$/)]);
    expect(await readdir(join(root, ".unfinished"))).toHaveLength(1);
    expect(await readCatalog(store, "schedule", "production")).toEqual({ backups: [], broken: [] });
    const manifest = await backUp(cluster, store, "tiny");
    expect((await store.list("")).map(({ key }) => key.split("/")[2])).toEqual(Array(3).fill(manifest.id));
    expect(await readdir(join(root, "schedule", "production"))).toEqual([manifest.id]);
    expect(await readdir(join(root, ".unfinished"))).toEqual([]);
  });
});

import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import type { Task } from "../core/ports/output.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { utcStamp } from "../core/time.ts";
import { takeBackupLock } from "./backup-lock.ts";
import { countRows, readDatabaseFacts, readServerFacts, type ServerFacts } from "./database-facts.ts";
import { chooseTransfer, type Transfer } from "./direct/choose-transfer.ts";
import { sendDump } from "./direct/send-dump.ts";
import { DEFAULT_FORM, type DumpForm, extensionOf, packingOf, packStages } from "./dump-form.ts";
import { type Compressor, memberFile, pgDumpArgv, rolesArgv, SQL_TRAILER } from "./dump-line.ts";
import { checkAge, findCompressor } from "./find-compressor.ts";
import { backupPrefix, MANIFEST_FILE, newBackupId } from "./keys.ts";
import { removeLeftovers } from "./leftovers.ts";
import { type DatabaseMember, MANIFEST_SCHEMA, type Manifest, type Member } from "./manifest.ts";
import type { PipelineReport, Stage } from "./measured-pipeline.ts";
import { literal, openSqlSession, type SqlSession } from "./sql-session.ts";
import { type StoredDump, storeDump } from "./store-dump.ts";
import type { StoredMeasure } from "./stored-meter.ts";
import { watchBlocked } from "./watch-blocked.ts";
import { operator } from "./write-record.ts";

type BackupDeps = Pick<Deps, "out" | "now" | "signal" | "version">;

export interface BackupOptions {
  /** Seconds to wait for a table that a migration has locked. */
  readonly lockWait?: number;
  /** Seconds to wait for another backup of the server to end. Default: 0. */
  readonly backupWait?: number;
  /** Seconds that a session may wait behind a dump before that gives way, and there is no backup. Default: it never does. */
  readonly yieldAfter?: number | undefined;
  readonly form?: DumpForm;
}

/** What is smaller than a part is not worth asking whether the machine reaches the store. */
const SMALL: Transfer = { relay: "it is small" };

/**
 * Takes a backup of every database of the server into the store. Resolves with its manifest once that is durable;
 * in every other case the backup does not exist, and what was stored of it is removed now or by the next run.
 */
export async function runBackup(
  server: DatabaseServer,
  store: ObjectStore,
  deps: BackupDeps,
  { lockWait = 60, backupWait = 0, yieldAfter, form = DEFAULT_FORM }: BackupOptions = {},
): Promise<Manifest> {
  const run = new BackupRun(server, store, { ...deps, lockWait, backupWait, yieldAfter, form });
  return await run.take();
}

interface DumpOrder {
  readonly database: string;
  readonly facts: ServerFacts;
  readonly compressor: Compressor;
  readonly transfer: Transfer;
}

class BackupRun {
  readonly #server: DatabaseServer;
  readonly #store: ObjectStore;
  readonly #deps: BackupDeps & Required<BackupOptions>;
  readonly #startedAt: Date;
  readonly #id: string;
  readonly #prefix: string;
  /** What its sessions call themselves. */
  readonly #application: string;
  readonly #stored: string[] = [];

  constructor(server: DatabaseServer, store: ObjectStore, deps: BackupDeps & Required<BackupOptions>) {
    this.#server = server;
    this.#store = store;
    this.#deps = deps;
    this.#startedAt = deps.now();
    this.#id = newBackupId(this.#startedAt);
    this.#application = `summitctl backup ${this.#id}`;
    this.#prefix = backupPrefix(server.project, server.environment, this.#id);
  }

  async take(): Promise<Manifest> {
    const { databases } = this.#server;
    if (databases.length === 0)
      throw new SummitError("config", "there is no database to back up", {
        hint: "name it in summit.yaml: backup: { databases: [summit] }",
      });
    const { form } = this.#deps;
    // What the machine has is asked while the lock is taken: each question is a login of a program there.
    const asked = Promise.all([findCompressor(this.#server, form.compression), this.#clientVersion()]);
    asked.catch(() => undefined);
    if (form.recipients.length > 0) await checkAge(this.#server);
    const holder = `${this.#application} ${operator()}`;
    await using lock = await takeBackupLock(this.#server, { holder, wait: this.#deps.backupWait }, this.#deps);
    const sessions: SqlSession[] = [];
    try {
      const [compressor, clientVersion] = await asked;
      for (const database of databases) sessions.push(await this.#openSession(database));
      await removeLeftovers(this.#server, this.#store);
      const transfer = await this.#chooseTransfer();
      const facts = await readServerFacts(sessions[0] as SqlSession);
      const members: Member[] = [];
      for (const [index, database] of databases.entries()) {
        members.push(await this.#dumpWatched(sessions[index] as SqlSession, { database, facts, compressor, transfer }));
      }
      members.push(await this.#dumpRoles(compressor));
      // Ended meanwhile, it would have let another backup in, which may have taken these files for leftovers.
      await lock.query("SELECT 1");
      return await this.#finish({ server: facts, clientVersion, members });
    } catch (error) {
      await this.#removeStored();
      throw error;
    } finally {
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
    }
  }

  async #openSession(database: string): Promise<SqlSession> {
    const session = await openSqlSession(this.#server.shell, database, this.#deps.signal);
    await session.query(
      `SET lock_timeout = '${this.#deps.lockWait}s'; SET application_name = ${literal(this.#application)}`,
    );
    return session;
  }

  async #dumpWatched(session: SqlSession, what: DumpOrder): Promise<DatabaseMember> {
    const watch = { database: what.database, application: this.#application, yieldAfter: this.#deps.yieldAfter };
    return await watchBlocked(this.#server, watch, this.#deps, (signal) => this.#dumpDatabase(session, what, signal));
  }

  async #dumpDatabase(session: SqlSession, what: DumpOrder, signal: AbortSignal): Promise<DatabaseMember> {
    const { database, facts, compressor, transfer } = what;
    await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const [snapshot = ""] = await session.query("SELECT pg_export_snapshot()");
    const databaseFacts = await readDatabaseFacts(session, facts);
    const snapshotAt = (await readServerFacts(session)).now;
    const { form, lockWait } = this.#deps;
    const file = memberFile(database, utcStamp(this.#startedAt), extensionOf(form.content, form));
    const task = this.#deps.out.task(`dump ${database}`);
    // The counts are taken in the dump's own snapshot, while the dump runs.
    const counting = countRows(session);
    counting.catch(() => undefined);
    const { report, stored } = await this.#keep(
      file,
      [
        {
          name: "pg_dump",
          argv: ["env", `PGAPPNAME=${this.#application}`, ...pgDumpArgv(database, snapshot, lockWait, form.content)],
        },
        ...packStages(compressor, form),
      ],
      { task, transfer, signal },
    );
    if (form.content === "sql") checkTrailer(report, `the dump of "${database}"`);
    const rows = await counting;
    await session.query("COMMIT");
    return {
      kind: "database",
      database,
      file,
      content: form.content,
      ...packingOf(form),
      plain: report.inner,
      stored: mutable(stored),
      snapshotAt,
      facts: databaseFacts as DatabaseMember["facts"],
      rows: rows.map((row) => [...row]),
    };
  }

  async #dumpRoles(compressor: Compressor): Promise<Member> {
    const { form } = this.#deps;
    const passwords = form.rolePasswords;
    const file = memberFile("roles", utcStamp(this.#startedAt), extensionOf("sql", form));
    const task = this.#deps.out.task("dump roles");
    const { report, stored } = await this.#keep(
      file,
      [{ name: "pg_dumpall", argv: rolesArgv({ passwords }) }, ...packStages(compressor, form)],
      { task, transfer: SMALL, signal: this.#deps.signal },
    );
    checkTrailer(report, "the dump of the roles");
    return {
      kind: "roles",
      file,
      content: "sql",
      ...packingOf(form),
      ...(passwords ? { passwords } : {}),
      plain: report.inner,
      stored: mutable(stored),
    };
  }

  async #keep(
    file: string,
    stages: [Stage, ...Stage[]],
    how: { task: Task; transfer: Transfer; signal: AbortSignal },
  ): Promise<StoredDump> {
    const { task, transfer, signal } = how;
    const key = `${this.#prefix}${file}`;
    const request = { server: this.#server, store: this.#store, key, stages, task };
    this.#stored.push(key);
    try {
      const dump = await ("direct" in transfer
        ? sendDump(request, transfer.direct, signal)
        : storeDump(request, signal));
      const way = "direct" in transfer ? ", straight to the store" : "";
      const packed = stages.slice(1).map(({ name }) => name);
      task.done(`${packed.join(", ")}, ${this.#server.unit}${way}`);
      return dump;
    } catch (error) {
      task.fail();
      throw error;
    }
  }

  async #chooseTransfer(): Promise<Transfer> {
    const transfer = await chooseTransfer(this.#server, this.#store);
    if ("relay" in transfer && this.#store.direct !== undefined)
      this.#deps.out.note(`the dump goes through this computer: ${transfer.relay}`);
    return transfer;
  }

  async #finish(found: Pick<Manifest, "server" | "clientVersion" | "members">): Promise<Manifest> {
    const { project, environment, generation } = this.#server;
    const manifest: Manifest = {
      schema: MANIFEST_SCHEMA,
      id: this.#id,
      project,
      environment,
      generation,
      summitctl: this.#deps.version,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: this.#deps.now().toISOString(),
      ...found,
    };
    this.#deps.signal.throwIfAborted();
    const key = `${this.#prefix}${MANIFEST_FILE}`;
    // First among what a failure removes: a manifest whose files are gone would still be a backup.
    this.#stored.unshift(key);
    await this.#store.put(key, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), this.#deps.signal);
    return manifest;
  }

  /** That there is none is told by the dump. */
  async #clientVersion(): Promise<string> {
    const { stdout } = await this.#server.shell.run(["pg_dump", "--version"], { as: "postgres", timeout: 30 });
    return stdout.trim().split(" ")[2] ?? "unknown";
  }

  /** Best effort: what stays is no backup, and the next run removes it. */
  async #removeStored(): Promise<void> {
    try {
      for (const key of this.#stored) await this.#store.delete(key);
    } catch {
      this.#deps.out.warn(`what was stored under ${this.#prefix} could not be removed, the next backup will do it`);
    }
  }
}

/** SQL text that was cut looks like a shorter one, unless its last line is looked for. */
function checkTrailer({ innerTail }: PipelineReport, what: string): void {
  if (SQL_TRAILER.test(Buffer.from(innerTail, "base64").toString("utf8"))) return;
  throw new SummitError("verification", `${what} has no end: what dumps it stopped half-way`, {
    hint: "run the same command again",
  });
}

const mutable = ({ parts, ...rest }: StoredMeasure): Member["stored"] => ({ ...rest, parts: [...parts] });

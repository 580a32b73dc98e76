import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { SummitError } from "../core/errors.ts";
import type { Deps } from "../core/deps.ts";
import type { Task } from "../core/ports/output.ts";
import type { RemoteProcess } from "../core/ports/shell.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { utcStamp } from "../core/time.ts";
import { type ServerFacts, countRows, readDatabaseFacts, readServerFacts } from "./database-facts.ts";
import { COMPRESSORS, type Compressor, compressArgv, memberFile, pgDumpArgv, rolesArgv, SQL_TRAILER } from "./dump-line.ts";
import { backupPrefix, MANIFEST_FILE, newBackupId } from "./keys.ts";
import { removeLeftovers } from "./leftovers.ts";
import { type DatabaseMember, type Manifest, MANIFEST_SCHEMA, type Member } from "./manifest.ts";
import { failures, type Pipeline, pipelineScript, type PipelineReport, readReport } from "./measured-pipeline.ts";
import { StoredMeter, type StoredMeasure } from "./stored-meter.ts";
import { lastText } from "./last-text.ts";
import type { DatabaseServer } from "./source.ts";
import { openSqlSession, type SqlSession } from "./sql-session.ts";

type BackupDeps = Pick<Deps, "out" | "now" | "signal" | "version">;

export interface BackupOptions {
  /** Seconds to wait for a table that a migration has locked. */
  readonly lockWait?: number;
}

/** Any two backups of one database exclude each other on the server itself, so the lock ends with the session. */
const LOCK = "SELECT pg_try_advisory_lock(hashtextextended('summitctl backup', 0))";

/**
 * Takes a backup of every database of the server into the store. Resolves with its manifest once that is durable;
 * in every other case the backup does not exist, and what was stored of it is removed now or by the next run.
 */
export async function runBackup(server: DatabaseServer, store: ObjectStore, deps: BackupDeps, { lockWait = 60 }: BackupOptions = {}): Promise<Manifest> {
  const run = new BackupRun(server, store, { ...deps, lockWait });
  return await run.take();
}

class BackupRun {
  readonly #server: DatabaseServer;
  readonly #store: ObjectStore;
  readonly #deps: BackupDeps & Required<BackupOptions>;
  readonly #startedAt: Date;
  readonly #id: string;
  readonly #prefix: string;
  readonly #stored: string[] = [];

  constructor(server: DatabaseServer, store: ObjectStore, deps: BackupDeps & Required<BackupOptions>) {
    this.#server = server;
    this.#store = store;
    this.#deps = deps;
    this.#startedAt = deps.now();
    this.#id = newBackupId(this.#startedAt);
    this.#prefix = backupPrefix(server.project, server.environment, this.#id);
  }

  async take(): Promise<Manifest> {
    const { databases } = this.#server;
    if (databases.length === 0) throw new SummitError("config", "there is no database to back up", { hint: "name it in summit.yaml: backup: { databases: [summit] }" });
    const compressor = await this.#compressor();
    const sessions: SqlSession[] = [];
    try {
      for (const database of databases) sessions.push(await this.#lockedSession(database));
      await removeLeftovers(this.#server, this.#store);
      const facts = await readServerFacts(sessions[0] as SqlSession);
      const members: Member[] = [];
      for (const [index, database] of databases.entries()) {
        members.push(await this.#dumpDatabase(sessions[index] as SqlSession, { database, facts, compressor }));
      }
      members.push(await this.#dumpRoles(compressor));
      return await this.#finish(facts, members);
    } catch (error) {
      await this.#removeStored();
      throw error;
    } finally {
      // Last, since the locks live in the sessions.
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
    }
  }

  async #compressor(): Promise<Compressor> {
    const found = await this.#server.shell.run(["sh", "-c", `command -v ${COMPRESSORS.join(" || command -v ")}`], { timeout: 30 });
    const name = COMPRESSORS.find((candidate) => found.stdout.trim().endsWith(`/${candidate}`));
    if (name === undefined) throw new SummitError("check", `${this.#server.unit} has no bzip2`, { hint: `summitctl ssh ${this.#server.unit} -- sudo apt-get install -y lbzip2` });
    return name;
  }

  async #lockedSession(database: string): Promise<SqlSession> {
    const session = await openSqlSession(this.#server.shell, database, this.#deps.signal);
    const [locked] = await session.query(`SET lock_timeout = '${this.#deps.lockWait}s'; ${LOCK}`);
    if (locked === "t") return session;
    await session[Symbol.asyncDispose]();
    throw new SummitError("locked", `another backup of database "${database}" is running`, { hint: "wait for it to end, then run the same command again" });
  }

  async #dumpDatabase(session: SqlSession, what: { database: string; facts: ServerFacts; compressor: Compressor }): Promise<DatabaseMember> {
    const { database, facts, compressor } = what;
    await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const [snapshot = ""] = await session.query("SELECT pg_export_snapshot()");
    const databaseFacts = await readDatabaseFacts(session, facts);
    const snapshotAt = (await readServerFacts(session)).now;
    const file = memberFile(database, utcStamp(this.#startedAt), "dump.bz2");
    const task = this.#deps.out.task(`dump ${database}`);
    // The counts are taken in the dump's own snapshot, while the dump runs.
    const counting = countRows(session);
    counting.catch(() => undefined);
    const { report, stored } = await this.#keep(file, { stages: [
      { name: "pg_dump", argv: pgDumpArgv(database, snapshot, this.#deps.lockWait) },
      { name: compressor, argv: compressArgv(compressor) },
    ], nonce: nonce() }, task);
    const rows = await counting;
    await session.query("COMMIT");
    return {
      kind: "database", database, file, content: "archive", compression: "bzip2", plain: report.inner, stored: mutable(stored),
      snapshotAt, facts: databaseFacts as DatabaseMember["facts"], rows: rows.map((row) => [...row]),
    };
  }

  async #dumpRoles(compressor: Compressor): Promise<Member> {
    const file = memberFile("roles", utcStamp(this.#startedAt), "sql.bz2");
    const task = this.#deps.out.task("dump roles");
    const { report, stored } = await this.#keep(file, { stages: [
      { name: "pg_dumpall", argv: rolesArgv() },
      { name: compressor, argv: compressArgv(compressor) },
    ], nonce: nonce() }, task);
    if (!SQL_TRAILER.test(Buffer.from(report.innerTail, "base64").toString("utf8"))) {
      throw new SummitError("verification", "the dump of the roles has no end: pg_dumpall stopped half-way", { hint: "run the same command again" });
    }
    return { kind: "roles", file, content: "sql", compression: "bzip2", plain: report.inner, stored: mutable(stored) };
  }

  /** Streams what the pipeline writes on the machine into the store, and believes it only when everything agrees. */
  async #keep(file: string, line: Pipeline, task: Task): Promise<{ report: PipelineReport; stored: StoredMeasure }> {
    const { shell, unit } = this.#server;
    const stopped = new AbortController();
    const signal = AbortSignal.any([this.#deps.signal, stopped.signal]);
    const key = `${this.#prefix}${file}`;
    let child: RemoteProcess | undefined;
    try {
      const dump = await shell.open(["sh", "-c", pipelineScript(line)], { as: "postgres", signal });
      child = dump;
      const meter = new StoredMeter();
      let report: PipelineReport | undefined;
      // The object is completed only when this has ended well: after the machine's own report was found good.
      async function* body(): AsyncGenerator<Buffer> {
        const messages = lastText(dump.stderr, 65_536);
        dump.stdin.end();
        for await (const chunk of dump.stdout as AsyncIterable<Buffer>) {
          meter.add(chunk);
          task.progress({ bytes: meter.bytes });
          yield chunk;
        }
        const status = await dump.exit;
        report = judge(line, { messages: messages(), exit: status.signal ?? status.code ?? "unknown" }, meter.measure());
      }
      this.#stored.push(key);
      const info = await this.#store.put(key, Readable.from(body(), { objectMode: false }), this.#deps.signal);
      const stored = meter.measure();
      if (report === undefined || info.size !== stored.bytes) {
        throw new SummitError("verification", `the store holds ${info.size} bytes of ${file}, ${stored.bytes} were sent`, { hint: "run the same command again" });
      }
      task.done(`${line.stages[1]?.name ?? ""}, ${unit}`);
      return { report, stored };
    } catch (error) {
      task.fail();
      // The store may have failed while the machine still sends.
      stopped.abort();
      await child?.exit.catch(() => undefined);
      throw error;
    }
  }

  async #finish(facts: ServerFacts, members: Member[]): Promise<Manifest> {
    const { project, environment, generation } = this.#server;
    const manifest: Manifest = {
      schema: MANIFEST_SCHEMA, id: this.#id, project, environment, generation, summitctl: this.#deps.version,
      startedAt: this.#startedAt.toISOString(), finishedAt: this.#deps.now().toISOString(),
      server: facts, clientVersion: await this.#clientVersion(), members,
    };
    this.#deps.signal.throwIfAborted();
    await this.#store.put(`${this.#prefix}${MANIFEST_FILE}`, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), this.#deps.signal);
    return manifest;
  }

  async #clientVersion(): Promise<string> {
    const shown = await this.#server.shell.must(["pg_dump", "--version"], { as: "postgres", timeout: 30 });
    return shown.trim().split(" ")[2] ?? "unknown";
  }

  /** Best effort: what stays is no backup, and the next run removes it. */
  async #removeStored(): Promise<void> {
    for (const key of this.#stored) {
      await this.#store.delete(key).catch(() => this.#deps.out.warn(`${key} of the failed backup could not be removed, the next backup will do it`));
    }
  }
}

/** Throws unless every process succeeded and both ends of the link saw the same bytes. */
function judge(line: Pipeline, { messages, exit }: { messages: string; exit: string | number }, stored: StoredMeasure): PipelineReport {
  const [producer] = line.stages;
  const found = readReport(messages, line);
  if (found === undefined) {
    throw new SummitError("remote", `${producer?.name} did not report its end (${typeof exit === "number" ? `exit status ${exit}` : exit})`, {
      details: messages.trim().split("\n").slice(-6), hint: "run the same command again; no backup was made",
    });
  }
  const failed = failures(found.report);
  if (failed.length > 0) {
    // A compressor that dies takes pg_dump with it; the other way round it just sees the end of its input.
    const cause = failed.findLast((text) => !text.startsWith("tee ")) ?? (failed[0] as string);
    throw new SummitError("remote", cause, {
      details: [...failed.filter((text) => text !== cause), ...found.messages.split("\n").slice(-6)].filter(Boolean), hint: "no backup was made; see why above, then run the same command again",
    });
  }
  const { outer } = found.report;
  if (outer.bytes !== stored.bytes || outer.sha256 !== stored.sha256) {
    throw new SummitError("verification", `the machine sent ${outer.bytes} bytes and ${stored.bytes} arrived, or their hashes differ`, { hint: "run the same command again" });
  }
  return found.report;
}

const nonce = (): string => `summitctl-report-${randomBytes(12).toString("hex")}`;
const mutable = ({ parts, ...rest }: StoredMeasure): Member["stored"] => ({ ...rest, parts: [...parts] });

import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Argv } from "../../src/core/argv.ts";
import type { DatabaseServer } from "../../src/core/ports/database-server.ts";
import type { Shell } from "../../src/core/ports/shell.ts";
import { createLocalShell } from "./local-shell.ts";

export interface PostgresCluster extends AsyncDisposable {
  readonly folder: string;
  /** What libpq programs need to reach it: as its superuser, over its socket. */
  readonly env: Readonly<Record<string, string>>;
  /** A shell on this computer whose programs reach this cluster; `env` may put other programs in front of the real. */
  shell(options?: { signal?: AbortSignal; env?: Readonly<Record<string, string>> }): Shell;
  /** Lines of unaligned output. Rejects at the first SQL error. */
  sql(database: string, text: string): Promise<string[]>;
  /** Its databases as backup and restore see them. */
  server(databases: readonly string[], shell?: Shell): DatabaseServer;
  /** One of PostgreSQL's programs, with its output. */
  run(argv: Argv): Promise<string>;
}

/**
 * A PostgreSQL cluster of its own, the newest version that is installed, in a temporary folder, reached by a socket
 * there. Nothing that it does is synced to the disk.
 */
export async function startPostgres(): Promise<PostgresCluster> {
  const bin = await newestBinFolder();
  const folder = await mkdtemp(join(tmpdir(), "summit-pg-"));
  const asRoot = process.getuid?.() === 0;
  if (asRoot) await chown(folder, ...(await idsOf("postgres")));
  const owner = asRoot ? (["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] as const) : [];
  const data = join(folder, "data");
  const call = async (program: string, args: readonly string[]) => {
    const [first, ...rest] = [...owner, join(bin, program), ...args];
    await execa(first as string, rest, { cwd: folder, stdin: "ignore" });
  };
  await call("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"]);
  const settings = `-c listen_addresses= -c unix_socket_directories=${folder} -c fsync=off -c max_connections=40 -c wal_level=logical`;
  await call("pg_ctl", ["-D", data, "-w", "-s", "-l", join(folder, "log"), "-o", settings, "start"]);

  const env = { PGHOST: folder, PGUSER: "postgres", PGTZ: "UTC" };
  const execute = async ([program, ...args]: Argv, input = "") =>
    (
      await execa(join(bin, program), args, {
        env: { ...env, PGOPTIONS: "-c client_min_messages=error" },
        input,
        stripFinalNewline: false,
        maxBuffer: 1e9,
      })
    ).stdout;
  const shell: PostgresCluster["shell"] = ({ signal, env: more = {} } = {}) =>
    clusterShell({ ...env, ...more }, signal);

  return {
    folder,
    env,
    shell,
    run: execute,
    sql: async (database, text) => {
      const output = await execute(
        ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", `dbname='${database.replaceAll("'", "\\'")}'`],
        text,
      );
      return output.split("\n").slice(0, -1);
    },
    server: (databases, over = shell()) => ({
      project: "schedule",
      environment: "production",
      generation: 3,
      unit: "postgresql/0",
      databases,
      shell: over,
    }),
    async [Symbol.asyncDispose]() {
      await call("pg_ctl", ["-D", data, "-s", "-m", "immediate", "stop"]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A local shell starts programs in a clean environment; the program `env` gives them one, and becomes the program. */
export function clusterShell(variables: Readonly<Record<string, string>>, signal?: AbortSignal): Shell {
  const shell = createLocalShell({ grace: 1000, ...(signal === undefined ? {} : { signal }) });
  const wrap = (argv: Argv): Argv => [
    "env",
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...argv,
  ];
  return {
    hostKey: shell.hostKey,
    run: (argv, options) => shell.run(wrap(argv), options),
    must: (argv, options) => shell.must(wrap(argv), options),
    open: (argv, options) => shell.open(wrap(argv), options),
    [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
  };
}

async function newestBinFolder(): Promise<string> {
  const versions = await readdir("/usr/lib/postgresql").catch(() => []);
  const newest = versions
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => b - a)[0];
  if (newest === undefined) throw new Error("no PostgreSQL server is installed here: apt-get install postgresql");
  return `/usr/lib/postgresql/${newest}/bin`;
}

async function idsOf(user: string): Promise<[number, number]> {
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (flag) => Number((await execa("id", [flag, user])).stdout)),
  );
  return [uid as number, gid as number];
}

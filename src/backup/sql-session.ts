import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import type { Argv } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import { checkDatabaseName } from "../core/names.ts";
import type { RemoteProcess, Shell } from "../core/ports/shell.ts";
import { lastText } from "./last-text.ts";

/** A name as libpq takes it without reading anything else into it. Throws kind `usage` for names that hurt. */
export function conninfo(database: string): string {
  const problem = checkDatabaseName(database);
  if (problem !== undefined) throw new SummitError("usage", problem);
  return `dbname='${database.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

export const psqlArgv = (database: string): Argv => [
  "psql",
  "-X",
  "-q",
  "-At",
  "-v",
  "ON_ERROR_STOP=1",
  "-d",
  conninfo(database),
];

/** `it's` becomes `'it''s'`, whatever standard_conforming_strings says. */
export const literal = (text: string): string => {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
};

export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** One psql on the machine, kept open, so that a transaction and a lock live as long as it does. */
export interface SqlSession extends AsyncDisposable {
  /** Lines of unaligned output. Rejects with kind `remote` and the server's words at the first SQL error. */
  query(sql: string): Promise<string[]>;
  /** One JSON value per line. */
  json<T>(sql: string): Promise<T[]>;
}

/** As the server's superuser over its local socket. `variables` are psql variables, for `:'name'` and `:"name"`. */
export async function openSqlSession(shell: Shell, database: string, signal?: AbortSignal): Promise<SqlSession> {
  const child = await shell.open(psqlArgv(database), { as: "postgres", ...(signal === undefined ? {} : { signal }) });
  const stderr = lastText(child.stderr, 16_384);
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  child.exit.catch(() => undefined);
  child.stdin.on("error", () => undefined);

  const query = async (sql: string): Promise<string[]> => {
    const marker = `summitctl-${randomBytes(8).toString("hex")}`;
    child.stdin.write(`${sql.trimEnd().replace(/;?$/, ";")}\n\\echo ${marker}\n`);
    const answer: string[] = [];
    for (;;) {
      const next = await lines.next();
      if (next.done === true) throw await ended(child, stderr, database);
      if (next.value === marker) return answer;
      answer.push(next.value);
    }
  };
  const session: SqlSession = {
    query,
    json: async <T>(sql: string) => (await query(sql)).filter(Boolean).map((line) => JSON.parse(line) as T),
    async [Symbol.asyncDispose]() {
      child.stdin.end("\\q\n");
      await child.exit.catch(() => undefined);
    },
  };
  await session.query(
    `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET search_path = pg_catalog; SET datestyle = iso;
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'`,
  );
  return session;
}

async function ended(child: RemoteProcess, stderr: () => string, database: string): Promise<SummitError> {
  const status = await child.exit;
  const words = stderr().trim().split("\n").slice(-4);
  return new SummitError(
    "remote",
    `psql on database "${database}" ended with ${status.signal ?? `exit status ${status.code}`}`,
    {
      details: words,
      hint: "summitctl ssh postgresql/0 -- sudo -u postgres psql -l",
    },
  );
}

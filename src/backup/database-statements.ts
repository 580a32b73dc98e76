import type { DatabaseFacts, ServerFacts } from "./database-facts.ts";
import { identifier, literal } from "./sql-session.ts";

/** Settings whose value is a list of names; SET quotes them otherwise. The server's own set_config takes them as stored. */
const LISTS = new Set([
  "search_path",
  "temp_tablespaces",
  "local_preload_libraries",
  "session_preload_libraries",
  "shared_preload_libraries",
  "unix_socket_directories",
]);

/** An empty database like the one that was dumped, under a name of its own. Fails where the locale is missing. */
export function createDatabase(name: string, facts: DatabaseFacts, target: Pick<ServerFacts, "versionNumber">): string {
  return `CREATE DATABASE ${identifier(name)} TEMPLATE template0 OWNER ${identifier(facts.owner)} ENCODING ${literal(facts.encoding)}
    ${locale(facts, target)} CONNECTION LIMIT ${facts.connectionLimit}`;
}

/** An imported dump does not tell it: then it is the server's own. */
const locale = (facts: DatabaseFacts, target: Pick<ServerFacts, "versionNumber">): string =>
  facts.collate === ""
    ? ""
    : `LC_COLLATE ${literal(facts.collate)} LC_CTYPE ${literal(facts.ctype)}${localeProvider(facts, target)}`;

/** Always named where the server knows the word: without it, the new database has that of the server's template. */
function localeProvider(
  { localeProvider: provider, icuLocale }: DatabaseFacts,
  { versionNumber }: Pick<ServerFacts, "versionNumber">,
): string {
  if (versionNumber < 150_000) return "";
  if (provider === "i" && icuLocale !== null) return ` LOCALE_PROVIDER icu ICU_LOCALE ${literal(icuLocale)}`;
  if (provider === "b" && icuLocale !== null) return ` LOCALE_PROVIDER builtin BUILTIN_LOCALE ${literal(icuLocale)}`;
  return " LOCALE_PROVIDER libc";
}

/** What belongs to the database itself and is not in its dump: settings, grants, comment. Run inside it or not. */
export function applyFacts(name: string, facts: DatabaseFacts): string[] {
  const database = identifier(name);
  return [
    `COMMENT ON DATABASE ${database} IS ${facts.comment === null ? "NULL" : literal(facts.comment)}`,
    ...facts.settings.map(({ role, name: setting, value }) => {
      const whom =
        role === null ? `ALTER DATABASE ${database}` : `ALTER ROLE ${identifier(role)} IN DATABASE ${database}`;
      return LISTS.has(setting.toLowerCase())
        ? `SELECT set_config(${literal(setting)}, ${literal(value)}, false); ${whom} SET ${identifier(setting)} FROM CURRENT; RESET ${identifier(setting)}`
        : `${whom} SET ${identifier(setting)} TO ${literal(value)}`;
    }),
    ...grantStatements(database, facts),
  ];
}

function grantStatements(database: string, { grants, owner }: DatabaseFacts): string[] {
  if (grants === null) return [];
  return [
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${identifier(owner)}`,
    ...grants.map(({ grantee, privilege, grantable }) => {
      // Privileges are words of the server's own, but they come from a file.
      const word = /^[A-Z]+$/.test(privilege) ? privilege : identifier(privilege);
      return `GRANT ${word} ON DATABASE ${database} TO ${grantee === null ? "PUBLIC" : identifier(grantee)}${grantable ? " WITH GRANT OPTION" : ""}`;
    }),
  ];
}

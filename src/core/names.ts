import { SummitError } from "./errors.ts";

/** Words that are or may become command verbs; nothing may be called like them. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "all",
  "list",
  "show",
  "get",
  "set",
  "unset",
  "export",
  "import",
  "latest",
  "none",
  "help",
  "up",
  "down",
  "on",
  "off",
  "run",
  "plan",
  "check",
  "resume",
  "retry",
  "skip",
  "status",
  "abandon",
  "install",
  "uninstall",
  "prove",
  "copy",
  "verify",
  "prune",
  "keep",
  "release",
  "break",
  "update",
  "tool",
  "diff",
  "sync",
  "attach",
  "bake",
  "create",
  "delete",
]);

const LABEL = /^[a-z][a-z0-9-]*[a-z0-9]$|^[a-z]$/;

/**
 * Projects, environments and services: lower case, digits, dashes, at most 40 characters, since they become host
 * names, container names and folders.
 */
export function checkLabel(what: string, name: string): string | undefined {
  if (name.length > 40) return `a ${what} name has at most 40 characters, this one has ${name.length}`;
  if (!LABEL.test(name))
    return `a ${what} name is lower case letters, digits and dashes and starts with a letter, not ${show(name)}`;
  if (RESERVED_NAMES.has(name)) return `"${name}" is a reserved word and cannot be a ${what} name`;
  return undefined;
}

/** `postgresql/0` */
export interface UnitName {
  readonly service: string;
  readonly index: number;
}

export const unitText = ({ service, index }: UnitName): string => `${service}/${index}`;

export function parseUnit(text: string): UnitName {
  const [service = "", index = "", ...more] = text.split("/");
  if (more.length > 0 || checkLabel("service", service) !== undefined || !/^\d{1,3}$/.test(index)) {
    throw new SummitError("usage", `expected a unit such as postgresql/0, got ${show(text)}`, {
      hint: "summitctl status",
    });
  }
  return { service, index: Number(index) };
}

/**
 * A database name as PostgreSQL takes it, less what has hurt others: NUL, newline, `/`, a leading `-`, and
 * anything that libpq would read as a connection string.
 */
export function checkDatabaseName(name: string): string | undefined {
  if (name === "") return "a database name cannot be empty";
  if (Buffer.byteLength(name) > 63)
    return `a database name has at most 63 bytes, ${show(name)} has ${Buffer.byteLength(name)}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return `the database name ${show(name)} holds a control character`;
  if (name.includes("/")) return `the database name ${show(name)} holds a slash`;
  if (name.startsWith("-")) return `the database name ${show(name)} starts with a dash`;
  if (name.includes("=") || /^postgres(ql)?:/i.test(name))
    return `the database name ${show(name)} reads as a connection string`;
  return undefined;
}

const BACKUP_ID = /^\d{8}T\d{6}Z-[a-z0-9]{6}$/;

/** `20261122T143800Z-k3x9qa` */
export const isBackupId = (text: string): boolean => BACKUP_ID.test(text);

/** A name from outside in an error message: bounded and with control characters escaped. */
export const show = (name: string): string => {
  const text = JSON.stringify(name);
  return text.length > 80 ? `${text.slice(0, 76)}…" (${name.length} characters)` : text;
};

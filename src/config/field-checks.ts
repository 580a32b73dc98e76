import { checkLabel, show } from "../core/names.ts";

/** What is wrong with a value, in words, or undefined. */
export type FieldCheck = (value: string) => string | undefined;

export const LABEL_PATTERN = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$";
export const KEY_PATTERN = "^[a-z][a-z0-9_]{0,39}$";

export const labelCheck =
  (what: string): FieldCheck =>
  (name) =>
    checkLabel(what, name);

/** Names of options, relations and secrets: they become parts of variable names and files. */
export const keyCheck =
  (what: string): FieldCheck =>
  (name) =>
    new RegExp(KEY_PATTERN).test(name)
      ? undefined
      : `${what} name is lower case letters, digits and underscores, starts with a letter and has at most 40 characters, not ${show(name)}`;

/** Environments also leave the names alone that summitctl gives to its own. */
export function environmentNameCheck(name: string): string | undefined {
  if (name === "control" || name.startsWith("drill-"))
    return `${show(name)} is what summitctl calls an environment of its own`;
  return checkLabel("environment", name);
}

export function versionCheck(version: string): string | undefined {
  return /^\d{1,6}\.\d{1,6}\.\d{1,6}$/.test(version)
    ? undefined
    : `expected a version such as 0.1.0, got ${show(version)}`;
}

/** A path or any other text that ends up as an argument. */
export function plainTextCheck(value: string): string | undefined {
  if (value.trim() === "") return "expected some text, got nothing but blanks";
  if (value.length > 4096) return `at most 4096 characters, this has ${value.length}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(value) ? `${show(value)} holds a control character` : undefined;
}

export function commandCheck(command: string): string | undefined {
  if (command.includes("\0")) return "a command cannot hold a NUL byte";
  if (command.trim() === "") return "expected a command, got nothing but blanks";
  return command.length > 4096 ? `at most 4096 characters, this has ${command.length}` : undefined;
}

export function variableCheck(name: string): string | undefined {
  return /^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)
    ? undefined
    : `expected the name of a variable such as APP_KEY, got ${show(name)}`;
}

export function loginCheck(user: string): string | undefined {
  if (user === "root") return "the login is created on every machine; root is there already, choose another name";
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(user) ? undefined : `expected a login such as summit, got ${show(user)}`;
}

/** A private /24: the upper half is kept for the project's address. */
export function subnetCheck(subnet: string): string | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.0\/24$/.exec(subnet)?.slice(1).map(Number) ?? [];
  const [a = -1, b = -1] = parts;
  if (parts.length !== 3 || parts.some((part) => part > 255))
    return `expected an IPv4 /24 such as 10.89.7.0/24, got ${show(subnet)}`;
  const isPrivate = a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168);
  return isPrivate ? undefined : `${subnet} is not a private range (10/8, 172.16/12, 192.168/16)`;
}

export function imageCheck(image: string): string | undefined {
  return /^[a-z0-9][a-z0-9._/:@-]{0,199}$/i.test(image)
    ? undefined
    : `expected an image such as debian:12, got ${show(image)}`;
}

export function mirrorCheck(text: string): string | undefined {
  if (!URL.canParse(text) || /\s/.test(text))
    return `expected a URL such as http://deb.debian.org/debian, got ${show(text)}`;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return `expected http or https, got ${show(url.protocol)}`;
  return url.username === "" && url.password === "" ? undefined : "a mirror's URL cannot hold a user or a password";
}

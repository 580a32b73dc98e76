import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isSummitError, SummitError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { type RunSecretCommand, runSecretCommand } from "./secret-command.ts";
import { codeOf } from "./text-file.ts";
import type { SecretSource } from "./types.ts";

/** Largest secret, in bytes. */
export const SECRET_LIMIT = 1024 * 1024;

export interface SecretDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where commands run and relative files count from: the folder of summit.yaml. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Default: `sh -c`, at most 30 s. */
  readonly run?: RunSecretCommand;
  /** Told when the value can be had but is badly kept, such as in a file that others can read. */
  readonly warn?: (line: string) => void;
}

/**
 * The value of a secret from where summit.yaml says it is. Throws kind `config`, naming the secret and its source,
 * when it is missing, empty, too large or no text; no message ever holds any of it.
 */
export async function resolveSecret(name: string, source: SecretSource, deps: SecretDeps): Promise<Secret> {
  if ("env" in source) return fromEnv(name, source.env, deps);
  return "file" in source ? await fromFile(name, source.file, deps) : await fromCommand(name, source.command, deps);
}

export type SecretCheck =
  | { readonly ok: true; readonly warning: string | undefined }
  | { readonly ok: false; readonly problem: string; readonly hint: string | undefined };

/** Whether a secret can be had, for `doctor`: the value is read and forgotten. An abort is still thrown. */
export async function checkSecret(name: string, source: SecretSource, deps: SecretDeps): Promise<SecretCheck> {
  let warning: string | undefined;
  try {
    await resolveSecret(name, source, { ...deps, warn: (line) => (warning = line) });
    return { ok: true, warning };
  } catch (error) {
    if (!isSummitError(error) || error.kind !== "config") throw error;
    return { ok: false, problem: error.message, hint: error.hint };
  }
}

function fromEnv(name: string, variable: string, { env }: SecretDeps): Secret {
  const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
  if (value === undefined || value === "") {
    const state = value === undefined ? "not set" : "empty";
    throw new SummitError("config", `the secret ${name} is expected in the variable ${variable}, which is ${state}`, {
      hint: `export ${variable}=…`,
    });
  }
  return checked(name, value, `the variable ${variable}`);
}

async function fromFile(name: string, file: string, { folder, warn }: SecretDeps): Promise<Secret> {
  const path = resolve(folder, file);
  const failed = (what: string, cause?: unknown): SummitError =>
    new SummitError("config", `the secret ${name} is expected in the file ${path}, ${what}`, {
      hint: `ls -l ${path}`,
      cause,
    });
  try {
    // Looked at first: opening a named pipe would wait for a writer.
    const found = await stat(path);
    if (found.isDirectory()) throw failed("which is a folder");
    if (!found.isFile()) throw failed("which is no regular file");
    if (found.size > SECRET_LIMIT) throw failed(`which has ${found.size} bytes, at most ${SECRET_LIMIT} are read`);
    if ((found.mode & 0o077) !== 0)
      warn?.(`the secret ${name} is in ${path}, which others can read: chmod 600 ${path}`);
    return fromBytes(name, await readFile(path), `the file ${path}`);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") throw failed("which is not there", error);
    if (codeOf(error) === "EACCES") throw failed("which cannot be read: permission denied", error);
    throw error;
  }
}

async function fromCommand(name: string, command: string, deps: SecretDeps): Promise<Secret> {
  const run = deps.run ?? runSecretCommand;
  const { stdout, stderr, ending } = await run(command, { env: deps.env, folder: deps.folder, signal: deps.signal });
  deps.signal?.throwIfAborted();
  if (ending !== undefined) {
    throw new SummitError("config", `the command for the secret ${name} ${ending}`, {
      details: spoken(stderr, stdout),
      hint: `sh -c '${command.replaceAll("'", `'\\''`)}' > /dev/null`,
    });
  }
  return fromBytes(name, stdout, "what its command printed");
}

function fromBytes(name: string, bytes: Uint8Array, where: string): Secret {
  if (bytes.length > SECRET_LIMIT)
    throw new SummitError("config", `the secret ${name} is too large: ${where} has more than ${SECRET_LIMIT} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SummitError("config", `the secret ${name} is not UTF-8 text: ${where}`);
  }
  // One line ends with a newline because editors and echo put it there; several lines, such as a PEM, keep theirs.
  const line = /^([^\r\n]*)\r?\n$/.exec(text)?.[1];
  return checked(name, line ?? text, where);
}

function checked(name: string, value: string, where: string): Secret {
  if (Buffer.byteLength(value) > SECRET_LIMIT)
    throw new SummitError("config", `the secret ${name} is too large: ${where} has more than ${SECRET_LIMIT} bytes`);
  if (value.trim() === "") throw new SummitError("config", `the secret ${name} is empty: ${where}`);
  if (value.includes("\0")) throw new SummitError("config", `the secret ${name} holds a NUL byte: ${where}`);
  return new Secret(value);
}

/** The last lines of stderr, in which what went to stdout is blanked. */
function spoken(stderr: string, stdout: Uint8Array): readonly string[] {
  const printed = Buffer.from(stdout)
    .toString("utf8")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= 4);
  const blanked = printed.slice(0, 100).reduce((text, line) => text.replaceAll(line, "[redacted]"), stderr);
  return blanked
    .replaceAll(CONTROL, "")
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .slice(-10);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor or colours the terminal is taken out
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f]/g;

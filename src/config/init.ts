import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { SummitError } from "../core/errors.ts";
import { checkLabel } from "../core/names.ts";
import type { Output, View } from "../core/ports/output.ts";
import { CONFIG_FILE } from "./find-config-file.ts";
import { sampleText } from "./sample.ts";
import { codeOf } from "./text-file.ts";

export interface InitRequest {
  /** Where summit.yaml is written. */
  readonly folder: string;
  /** Default: the folder's name, if it can be one. */
  readonly project?: string | undefined;
  /** Folder of the packaged example (app and theme in it); nothing is copied, summit.yaml points there. */
  readonly example?: string | undefined;
}

export interface InitResult {
  readonly schema: "summitctl.init.v1";
  readonly project: string;
  /** Absolute path of the new summit.yaml. */
  readonly file: string;
  /** Files beside it that were made too. */
  readonly created: readonly string[];
  /** What to do next, in order. */
  readonly next: readonly string[];
}

export interface InitDeps {
  readonly out: Pick<Output, "result" | "note">;
  /** Where the first store is put; default: the user's home. */
  readonly home?: string;
}

const SECRET_FILE = "app_key.secret";

/**
 * Writes a commented summit.yaml, a random key for the app and, where there is none, a .gitignore that keeps the key
 * out of git. Nothing is ever overwritten: kind `check` when there is a summit.yaml, kind `usage` for a bad name.
 */
export async function runInit(
  { folder, project, example }: InitRequest,
  { out, home = homedir() }: InitDeps,
): Promise<InitResult> {
  const target = resolve(folder);
  const file = join(target, CONFIG_FILE);
  const name = projectName(target, project);
  const app = example === undefined ? "./app" : join(resolve(example), "app");
  const theme = example === undefined ? undefined : join(resolve(example), "theme");
  const text = sampleText({
    project: name,
    store: join(resolve(home), "summitctl-store"),
    app,
    theme,
    secretFile: `./${SECRET_FILE}`,
  });
  await createConfig(file, target, text);

  const created: string[] = [];
  const key = `${randomBytes(36).toString("base64url")}\n`;
  if (await createNew(join(target, SECRET_FILE), key, 0o600)) created.push(SECRET_FILE);
  if (await createNew(join(target, ".gitignore"), "*.secret\n", 0o644)) created.push(".gitignore");
  else if (!(await ignoresSecrets(target)))
    out.note("add a line to .gitignore so that the key stays out of git: *.secret");

  const appThere = await stat(resolve(target, app)).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const result: InitResult = {
    schema: "summitctl.init.v1",
    project: name,
    file,
    created,
    next: [
      ...(appThere
        ? []
        : [
            `put the app, the folder with manage.py, into ${resolve(target, app)}, or change services.summit.options.app`,
          ]),
      "git add summit.yaml .gitignore",
      "summitctl doctor",
      "summitctl bootstrap --env production",
    ],
  };
  out.result(result, initView);
  return result;
}

export const initView = ({ project, file, created, next }: InitResult): View => [
  { text: `wrote ${file}${created.length > 0 ? `, ${created.join(", ")}` : ""} for the project ${project}` },
  { text: "next:" },
  ...next.map((line) => ({ text: `  ${line}` })),
];

function projectName(folder: string, wanted: string | undefined): string {
  if (wanted !== undefined) {
    const wrong = checkLabel("project", wanted);
    if (wrong !== undefined) throw new SummitError("usage", wrong, { hint: "summitctl init --project summit" });
    return wanted;
  }
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return name !== "" && checkLabel("project", name) === undefined ? name : "summit";
}

async function createConfig(file: string, folder: string, text: string): Promise<void> {
  try {
    if (await createNew(file, text, 0o644)) return;
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EACCES" && code !== "EROFS") throw error;
    throw new SummitError("check", `cannot write into ${folder}: ${WRITE_PROBLEMS[code]}`, {
      hint: `mkdir -p ${folder}`,
      cause: error,
    });
  }
  throw new SummitError("check", `${file} exists and is never overwritten`, { hint: "summitctl doctor" });
}

const WRITE_PROBLEMS = {
  ENOENT: "there is no such folder",
  ENOTDIR: "that is no folder",
  EACCES: "permission denied",
  EROFS: "the file system is read-only",
} as const;

/** False when there is something of that name, which is then left alone. */
async function createNew(file: string, text: string, mode: number): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: "wx", mode });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function ignoresSecrets(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, ".gitignore"), "utf8").catch(() => "");
  return text.split(/\r?\n/).some((line) => ["*.secret", SECRET_FILE, `/${SECRET_FILE}`].includes(line.trim()));
}

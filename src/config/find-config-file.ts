import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SummitError } from "../core/errors.ts";

export const CONFIG_FILE = "summit.yaml";

export interface ConfigSearch {
  /** `--config FILE` */
  readonly flag: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** User id that may own a file that is found above; default: this process's. */
  readonly uid?: number | undefined;
}

/** As `lookForConfigFile`. Throws kind `config` when there is none. */
export async function findConfigFile(search: ConfigSearch): Promise<string> {
  const found = await lookForConfigFile(search);
  if (found !== undefined) return found;
  throw new SummitError("config", `there is no ${CONFIG_FILE} in ${resolve(search.cwd)} or above`, {
    hint: "summitctl init",
  });
}

/**
 * Absolute path of the project's file: the flag, SUMMITCTL_CONFIG, or summit.yaml here and above; undefined when
 * there is none. The first two are not looked at; loading them says what is wrong. Throws kind `config` when the one
 * above belongs to somebody else: it can name commands that are run.
 */
export async function lookForConfigFile({
  flag,
  env,
  cwd,
  uid = process.getuid?.(),
}: ConfigSearch): Promise<string | undefined> {
  const named = flag ?? (env["SUMMITCTL_CONFIG"] || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const owners = [uid, 0, env["SUDO_UID"] === undefined || uid !== 0 ? undefined : Number(env["SUDO_UID"])];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, CONFIG_FILE);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true) {
      if (folder === resolve(cwd) || uid === undefined || owners.includes(found.uid)) return file;
      throw new SummitError(
        "config",
        `${file} belongs to user ${found.uid}, not to you, and can name commands to run`,
        {
          hint: `summitctl --config ${file} …`,
        },
      );
    }
    if (dirname(folder) === folder) return undefined;
  }
}

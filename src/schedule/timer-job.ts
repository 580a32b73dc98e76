import { realpath } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import type { Config } from "../config/types.ts";
import type { Argv } from "../core/argv.ts";
import type { Timetable } from "../core/cron/run-times.ts";
import { SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";

/** What a timer of this computer runs, whichever timer that is. */
export interface TimerJob {
  /** `summitctl-summit-backup`; names units and the block of a crontab. */
  readonly name: string;
  /** For people. */
  readonly description: string;
  readonly table: Timetable;
  /** Seconds. */
  readonly jitter: number;
  readonly catchUp: boolean;
  /** summitctl itself, with absolute paths, up to the verb. */
  readonly program: Argv;
  /** The login that it runs as. */
  readonly user: string;
  /** All of its environment, less what the file below adds. */
  readonly environment: Readonly<Record<string, string>>;
  /** File of `NAME=value` lines, absolute. */
  readonly environmentFile: string | undefined;
}

export interface TimerRequest {
  readonly config: Pick<Config, "project" | "file" | "schedule">;
  readonly environment: string | undefined;
  readonly environmentFile: string | undefined;
  /** `process` fits. */
  readonly self: { readonly execPath: string; readonly argv: readonly string[] };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export const timerName = (project: string, environment: string | undefined): string =>
  ["summitctl", project, ...(environment === undefined ? [] : [environment]), "backup"].join("-");

/** Throws kind `config` when nothing is scheduled, and kind `check` when a path could not be written into a unit. */
export async function timerJob(request: TimerRequest): Promise<TimerJob> {
  const { config, environment, environmentFile, self, env, cwd } = request;
  const { backup, timezone, jitter, catchUp } = config.schedule;
  if (backup === undefined) {
    throw new SummitError("config", "summit.yaml schedules no backups", { hint: `schedule: { backup: "15 * * * *" }` });
  }
  const script = await realpath(self.argv[1] ?? "");
  const { username, homedir } = userInfo();
  const job: TimerJob = {
    name: timerName(config.project, environment),
    description: `summitctl backup of ${config.project}${environment === undefined ? "" : `/${environment}`}`,
    table: { times: backup, zone: timezone },
    jitter,
    catchUp,
    program: [
      self.execPath,
      script,
      "--config",
      config.file,
      ...(environment === undefined ? [] : ["--env", environment]),
    ],
    user: username,
    environment: {
      HOME: env["HOME"] || homedir,
      PATH: `${dirname(self.execPath)}:${SYSTEM_PATH}`,
      // Where the login key is.
      ...(env["XDG_STATE_HOME"] ? { XDG_STATE_HOME: env["XDG_STATE_HOME"] } : {}),
    },
    environmentFile: environmentFile === undefined ? undefined : resolve(cwd, environmentFile),
  };
  for (const word of [...job.program, ...Object.values(job.environment), job.environmentFile ?? ""]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(word))
      throw new SummitError("check", `${show(word)} holds a control character and cannot be written into a timer`);
  }
  return job;
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The command line that the timer runs. */
export const backupArgv = ({ program }: TimerJob): Argv => [...program, "backup", "--notify"];

/** The same program and environment, asked whether a backup would work. */
export const proveArgv = ({ program }: TimerJob): Argv => [...program, "--json", "schedule", "prove"];

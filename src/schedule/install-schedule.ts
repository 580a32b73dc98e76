import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { installTimer } from "./install.ts";
import type { InstallResult } from "./install-view.ts";
import { type TimerRequest, timerJob } from "./timer-job.ts";
import type { TimerKind, TimerPlaces } from "./timer-places.ts";

export interface InstallFlags extends Pick<TimerRequest, "environment" | "environmentFile" | "self"> {
  readonly systemd: boolean;
  readonly crontab: boolean;
  readonly user: boolean;
  readonly places: TimerPlaces;
}

type InstallScheduleDeps = Pick<Deps, "out" | "prompt" | "now" | "local"> & {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  config(): Promise<Config>;
};

/** What `schedule install` does with its flags. */
export async function installSchedule(flags: InstallFlags, deps: InstallScheduleDeps): Promise<InstallResult> {
  const job = await timerJob({ ...flags, config: await deps.config(), env: deps.env, cwd: deps.cwd });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return await installTimer(job, { kind: kindOf(flags), places: flags.places, zone }, deps);
}

function kindOf({ systemd, crontab, user }: InstallFlags): TimerKind | undefined {
  if (crontab && (systemd || user))
    throw new SummitError("usage", "expected one of --crontab and --systemd or --user, got both", {
      hint: "summitctl schedule install --help",
    });
  if (crontab) return "crontab";
  if (user) return "systemd-user";
  return systemd ? "systemd" : undefined;
}

import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunLocal } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { hasBlock } from "./crontab.ts";

/** How a timer of this computer is set up. */
export type TimerKind = "systemd" | "systemd-user" | "crontab";

export interface TimerPlaces {
  readonly env: NodeJS.ProcessEnv;
  /** Where the system's units are, and what is there while systemd runs; both for tests. */
  readonly systemUnits?: string;
  readonly booted?: string;
}

export function unitFolder(kind: "systemd" | "systemd-user", { env, systemUnits }: TimerPlaces): string {
  if (kind === "systemd") return systemUnits ?? "/etc/systemd/system";
  return join(env["XDG_CONFIG_HOME"] || join(env["HOME"] ?? "/", ".config"), "systemd", "user");
}

/** The text of a file, empty when there is none. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

export const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** This user's crontab; empty when there is none. Throws kind `check` where there is no cron. */
export async function readCrontab(local: RunLocal): Promise<string> {
  const { code, stdout, stderr } = await local(["crontab", "-l"], { timeout: 10 });
  if (code === 0) return stdout;
  // The one status of a user without a crontab; a cron that is broken fails again when it is written.
  if (code === 1) return "";
  throw new SummitError("check", `there is no cron on this computer: ${stderr.trim()}`, {
    hint: "summitctl schedule install --systemd    # or: apt install cron",
  });
}

/** Which timers of that name are set up, of this user and of the system. */
export async function installedTimers(
  name: string,
  places: TimerPlaces,
  local: RunLocal,
): Promise<readonly TimerKind[]> {
  const found: TimerKind[] = [];
  for (const kind of ["systemd", "systemd-user"] as const) {
    if (await isThere(join(unitFolder(kind, places), `${name}.timer`))) found.push(kind);
  }
  const crontab = await local(["crontab", "-l"], { timeout: 10 });
  if (crontab.code === 0 && hasBlock(crontab.stdout, name)) found.push("crontab");
  return found;
}

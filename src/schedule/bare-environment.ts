import type { Argv } from "../core/argv.ts";
import { quote, toShell } from "../core/argv.ts";
import type { LocalRun, RunLocal } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Check } from "../core/ports/machines.ts";
import { proveArgv, type TimerJob } from "./timer-job.ts";

/** Where the proof runs: as systemd would run the service, or as cron would. */
export type BarePlace = "systemd" | "systemd-user" | "cron";

/** The line that runs `schedule prove` with nothing of this shell's environment. */
export function bareArgv(job: TimerJob, place: BarePlace): Argv {
  const { environment, environmentFile } = job;
  const variables = Object.entries(environment);
  if (place === "cron") {
    const given = variables.map(([name, value]) => `${name}=${value}`);
    const line = toShell(proveArgv(job));
    const source = environmentFile === undefined ? "" : `set -a; . ${quote(environmentFile)}; set +a; `;
    return ["env", "-i", `LOGNAME=${job.user}`, "SHELL=/bin/sh", ...given, "sh", "-c", `${source}exec ${line}`];
  }
  return [
    "systemd-run",
    ...(place === "systemd-user" ? ["--user"] : [`--property=User=${job.user}`]),
    "--wait",
    "--pipe",
    "--collect",
    "--quiet",
    ...variables.map(([name, value]) => `--setenv=${name}=${value}`),
    ...(environmentFile === undefined ? [] : [`--property=EnvironmentFile=${environmentFile}`]),
    ...proveArgv(job),
  ];
}

/** Seconds for the whole proof. */
const LIMIT = 180;

/** Runs the proof and resolves with its checks. Throws kind `check` and names what is missing there. */
export async function proveInBareEnvironment(
  job: TimerJob,
  place: BarePlace,
  { local }: { readonly local: RunLocal },
): Promise<readonly Check[]> {
  const ran = await local(bareArgv(job, place), { timeout: LIMIT });
  const said = lastObject(ran.stdout);
  const where = place === "cron" ? "cron" : "the timer";
  if (said?.schema === "summitctl.schedule-proof.v1") {
    const failed = said.checks.filter(({ ok }) => ok === false);
    if (failed.length === 0) return said.checks;
    throw new SummitError("check", `a backup run by ${where} would fail; nothing was installed`, {
      details: failed.map(({ name, message }) => `${name}: ${message}`),
      hint: hintOf(failed, job),
    });
  }
  const words = said?.schema === "summitctl.error.v1" ? [said.message, ...said.details] : endOf(ran);
  throw new SummitError("check", `summitctl cannot run as ${where} would run it; nothing was installed`, {
    details: words,
    hint: toShell(bareArgv(job, place)),
  });
}

/** What a shell has and a timer has not is what is missing most often. */
function hintOf(failed: readonly Check[], { environmentFile }: TimerJob): string {
  const isSecret = failed.some(({ name }) => name.startsWith("secret ") || name.startsWith("store "));
  if (isSecret && environmentFile === undefined)
    return "variables of your shell are not there; write NAME=value lines into a file: summitctl schedule install --env-file FILE";
  return failed.find(({ hint }) => hint !== undefined)?.hint ?? "summitctl schedule prove";
}

type Said =
  | { readonly schema: "summitctl.schedule-proof.v1"; readonly checks: readonly Check[] }
  | { readonly schema: "summitctl.error.v1"; readonly message: string; readonly details: readonly string[] };

function lastObject(stdout: string): Said | undefined {
  try {
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Said;
  } catch {
    return undefined;
  }
}

const endOf = ({ stdout, stderr }: LocalRun): readonly string[] =>
  `${stdout}\n${stderr}`
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-5);

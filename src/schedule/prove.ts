import { backupSummary } from "../backup/backup-summary.ts";
import type { NotifyConfig } from "../config/schedule-types.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { exitCode } from "../core/errors.ts";
import type { Check } from "../core/ports/machines.ts";
import type { View } from "../core/ports/output.ts";
import { chooseEnvironment } from "../environment/choose-environment.ts";
import { openDatabaseHost } from "../environment/database-host.ts";
import { type ProjectCheckDeps, projectExaminations } from "../environment/doctor-project.ts";
import { type Examination, examine } from "../environment/examine.ts";
import type { Project } from "../environment/project.ts";

export interface ProofResult {
  readonly schema: "summitctl.schedule-proof.v1";
  readonly checks: readonly Check[];
  readonly ok: boolean;
}

export type ProveDeps = ProjectCheckDeps &
  Pick<Deps, "secret"> & { config(): Promise<Config>; project(): Promise<Project> };

/**
 * Whether a scheduled backup would work in the environment that this runs in: summit.yaml, secrets, keys, stores, and
 * the database's machine is reached. Takes no backup and changes nothing.
 */
export async function proveSchedule(named: string | undefined, deps: ProveDeps): Promise<ProofResult> {
  const task = deps.out.task("looking at what a scheduled backup needs");
  try {
    const config = await deps.config();
    const own: readonly Examination[] = [
      ...(["ping", "webhook"] as const).flatMap((what) => notifyExamination(what, config.notify, deps)),
      { name: "database", run: async () => [await databaseCheck(named, deps)] },
    ];
    const checks = await examine([...projectExaminations(config, backupSummary, deps), ...own], deps.signal);
    task.done();
    return { schema: "summitctl.schedule-proof.v1", checks, ok: checks.every(({ ok }) => ok !== false) };
  } catch (error) {
    task.fail();
    throw error;
  }
}

function notifyExamination(
  what: "ping" | "webhook",
  notify: NotifyConfig,
  deps: Pick<Deps, "secret">,
): readonly Examination[] {
  const source = notify[what];
  if (source === undefined || !("secret" in source)) return [];
  const run = async (): Promise<readonly Check[]> => {
    const text = (await deps.secret(source.secret)).reveal().trim();
    const ok = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
    const message = ok ? "holds a URL" : "holds no http or https URL";
    return [{ name: `notify.${what}`, ok, message: `the secret ${source.secret} ${message}` }];
  };
  return [{ name: `notify.${what}`, run }];
}

async function databaseCheck(named: string | undefined, deps: ProveDeps): Promise<Check> {
  const project = await deps.project();
  const environment = await chooseEnvironment(project, named, deps);
  await using host = await openDatabaseHost(project, environment, deps);
  await host.shell.must(["pg_dump", "--version"], { as: "postgres", timeout: 30 });
  return { name: "database", ok: true, message: `${environment} ${host.unit} was reached` };
}

export const proofExit = ({ ok }: ProofResult): number => exitCode(ok ? "ok" : "check");

export const proofView = ({ checks, ok }: ProofResult): View => [
  { head: ["check", "result", "what was found"], rows: checks.flatMap(checkRows) },
  { text: ok ? "a scheduled backup would work here" : "a scheduled backup would FAIL here" },
];

const checkRows = ({ name, ok, message, hint }: Check): string[][] => [
  [name, ok === true ? "ok" : ok === false ? "FAILED" : "warning", message],
  ...(hint === undefined ? [] : [["", "hint", hint]]),
];

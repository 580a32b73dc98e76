import { readLock } from "../config/lock-file.ts";
import { type ConfigSearch, lookForConfigFile } from "../config/find-config-file.ts";
import { isOlder } from "../config/tool-version.ts";
import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { exitCode, isSummitError, messageOf } from "../core/errors.ts";
import type { Check, MachineProvider } from "../core/ports/machines.ts";
import type { View } from "../core/ports/output.ts";
import { type ProjectCheckDeps, projectExaminations } from "./doctor-project.ts";

export interface DoctorRequest {
  readonly search: ConfigSearch;
  /** `process.versions.node` */
  readonly node: string;
}

export interface DoctorResult {
  readonly schema: "summitctl.doctor.v1";
  readonly checks: readonly Check[];
  /** No check failed; there may be warnings. */
  readonly ok: boolean;
}

/** Something to look at. What it throws becomes a check that failed, so one look never keeps the others away. */
export interface Examination {
  readonly name: string;
  run(): Promise<readonly Check[]>;
}

export interface DoctorDeps extends ProjectCheckDeps {
  config(): Promise<Config>;
  /** Machines on this computer when there is no project to say how they are set up. */
  computer(): Promise<MachineProvider>;
}

const NODE_FLOOR = "20.19.0";

/** Looks at everything that later commands need, changes nothing and stops at nothing but an abort. */
export async function runDoctor({ search, node }: DoctorRequest, deps: DoctorDeps): Promise<DoctorResult> {
  const task = deps.out.task("looking at this computer and the project");
  const own = { name: "summitctl", run: async () => [toolCheck(deps.version, node)] };
  const file = await attempt(() => lookForConfigFile(search));
  const config = "value" in file && file.value !== undefined ? await attempt(deps.config) : undefined;
  const loaded = config !== undefined && "value" in config ? config.value : undefined;
  const provider = loaded === undefined ? deps.computer : () => deps.machines(firstEnvironment(loaded));
  const computer = { name: "this computer", run: () => computerChecks(provider, loaded?.project) };
  const checks = await examine([own, computer], deps.signal);
  const failure = "error" in file ? file.error : config !== undefined && "error" in config ? config.error : undefined;
  if (failure !== undefined) checks.push(...failedChecks("summit.yaml", failure));
  else if (loaded === undefined) checks.push(noProject(search.cwd));
  else checks.push({ name: "summit.yaml", ok: true, message: `${loaded.file}, project ${loaded.project}` }, ...(await examine(projectExaminations(loaded, deps), deps.signal)));
  task.done();
  return { schema: "summitctl.doctor.v1", checks, ok: checks.every(({ ok }) => ok !== false) };
}

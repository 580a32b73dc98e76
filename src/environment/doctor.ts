import { type ConfigSearch, lookForConfigFile } from "../config/find-config-file.ts";
import { isOlder } from "../config/tool-version.ts";
import type { Config } from "../config/types.ts";
import { exitCode } from "../core/errors.ts";
import type { Check, MachineProvider } from "../core/ports/machines.ts";
import type { View } from "../core/ports/output.ts";
import { type ProjectCheckDeps, projectExaminations } from "./doctor-project.ts";
import type { SummarizeBackups } from "./doctor-stores.ts";
import { examine, failedChecks } from "./examine.ts";

export interface DoctorRequest {
  readonly search: ConfigSearch;
  /** `process.versions.node` */
  readonly node: string;
  readonly backupSummary: SummarizeBackups;
}

export interface DoctorResult {
  readonly schema: "summitctl.doctor.v1";
  readonly checks: readonly Check[];
  /** No check failed; there may be warnings. */
  readonly ok: boolean;
}

export interface DoctorDeps extends ProjectCheckDeps {
  config(): Promise<Config>;
  /** Machines on this computer when no project says how they are set up. */
  computer(): Promise<MachineProvider>;
}

const NODE_FLOOR = "20.19.0";

/** Looks at everything that later commands need; changes nothing and stops at nothing but an abort. */
export async function runDoctor(request: DoctorRequest, deps: DoctorDeps): Promise<DoctorResult> {
  const task = deps.out.task("looking at this computer and the project");
  try {
    const { config, checks: fileChecks } = await readConfig(request.search, deps);
    const checks = [
      toolCheck(deps.version, request.node),
      ...(await examine([{ name: "this computer", run: () => computerChecks(config, deps) }], deps.signal)),
      ...fileChecks,
      ...(config === undefined
        ? []
        : await examine(projectExaminations(config, request.backupSummary, deps), deps.signal)),
    ];
    task.done();
    return { schema: "summitctl.doctor.v1", checks, ok: checks.every(({ ok }) => ok !== false) };
  } catch (error) {
    task.fail();
    throw error;
  }
}

/** No summit.yaml is a warning: the computer can be looked at before there is a project. */
async function readConfig(
  search: ConfigSearch,
  deps: Pick<DoctorDeps, "config" | "signal">,
): Promise<{ config?: Config; checks: readonly Check[] }> {
  const name = "summit.yaml";
  try {
    if ((await lookForConfigFile(search)) === undefined) {
      const message = "none here or above: only this computer was looked at";
      return { checks: [{ name, ok: "warning", message, hint: "summitctl init" }] };
    }
    const config = await deps.config();
    return { config, checks: [{ name, ok: true, message: `project ${config.project}, ${config.file}` }] };
  } catch (error) {
    deps.signal.throwIfAborted();
    return { checks: failedChecks(name, error) };
  }
}

async function computerChecks(config: Config | undefined, deps: DoctorDeps): Promise<readonly Check[]> {
  const [environment] = Object.keys(config?.environments ?? {});
  const provider = environment === undefined ? await deps.computer() : await deps.machines(environment);
  const checks = await provider.checks(config?.project);
  const golden = config?.local.golden === false ? [NO_GOLDEN] : [];
  // Without an engine there is nothing whose limits could be told.
  const limits = checks.some(({ ok }) => ok === false) ? [] : await provider.limits();
  return [...checks, ...limits.map((message): Check => ({ name: "limits", ok: "warning", message })), ...golden];
}

const NO_GOLDEN: Check = {
  name: "golden image",
  ok: "warning",
  message: "switched off: every new machine installs its packages, and a failover takes minutes instead of seconds",
  hint: "in summit.yaml: local: { golden: true }",
};

function toolCheck(version: string, node: string): Check {
  const check = { name: "summitctl", message: `${version} on node ${node}` };
  if (!isOlder(node, NODE_FLOOR)) return { ...check, ok: true };
  return {
    ...check,
    ok: false,
    message: `${check.message}, expected ${NODE_FLOOR} or newer`,
    hint: "https://nodejs.org/en/download",
  };
}

export const doctorExit = ({ ok }: DoctorResult): number => exitCode(ok ? "ok" : "check");

export function doctorView({ checks }: DoctorResult): View {
  const failed = checks.filter(({ ok }) => ok === false).length;
  const warnings = checks.filter(({ ok }) => ok === "warning").length;
  const said = [
    ...(failed > 0 ? [count(failed, "check failed", "checks failed")] : []),
    ...(warnings > 0 ? [count(warnings, "warning", "warnings")] : []),
  ];
  return [
    { head: ["check", "result", "what was found"], rows: checks.flatMap(checkRows) },
    { text: said.length === 0 ? "everything is in order" : said.join(", ") },
  ];
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

function checkRows({ name, ok, message, hint }: Check): string[][] {
  const result = ok === true ? "ok" : ok === false ? "FAILED" : "warning";
  return [[name, result, message], ...(hint === undefined ? [] : [["", "hint", hint]])];
}

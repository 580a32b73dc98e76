import { access } from "node:fs/promises";
import { checkSecret } from "../config/secret-source.ts";
import type { Config, SecretSource } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import type { Check } from "../core/ports/machines.ts";
import { encryptionChecks } from "./doctor-encryption.ts";
import { type PackCheckDeps, packChecks } from "./doctor-packs.ts";
import { placeChecks, type SummarizeBackups, storeChecks } from "./doctor-stores.ts";
import type { Examination } from "./examine.ts";
import { liveGeneration } from "./generations.ts";

export interface ProjectCheckDeps
  extends PackCheckDeps,
    Pick<Deps, "out" | "now" | "version" | "machines" | "stores" | "connector"> {
  readonly env: NodeJS.ProcessEnv;
  /** The login key that is made when summit.yaml names none. */
  readonly ownKeyFile: string;
}

/** Everything about a project whose summit.yaml is right. */
export const projectExaminations = (
  config: Config,
  backupSummary: SummarizeBackups,
  deps: ProjectCheckDeps,
): readonly Examination[] => [
  { name: "packs and pins", run: () => packChecks(deps) },
  ...Object.entries(config.secrets).map(([name, source]) => ({
    name: `secret ${name}`,
    run: async () => [await secretCheck(config, name, source, deps)],
  })),
  { name: "ssh keys", run: async () => [await keyCheck(config, deps)] },
  ...config.stores.map((store, index) => ({
    name: `store ${store.url}`,
    run: () => storeChecks({ index, store, project: config.project }, backupSummary, deps),
  })),
  { name: "encryption", run: () => encryptionChecks(config, deps) },
  { name: "stores", run: () => placeChecks(config.stores) },
  ...Object.keys(config.environments).map((environment) => ({
    name: `environment ${environment}`,
    run: async () => [await environmentCheck(config, environment, deps)],
  })),
];

async function secretCheck(config: Config, name: string, source: SecretSource, deps: ProjectCheckDeps): Promise<Check> {
  const found = await checkSecret(name, source, { env: deps.env, folder: config.folder, signal: deps.signal });
  const check = { name: `secret ${name}` };
  if (!found.ok)
    return { ...check, ok: false, message: found.problem, ...(found.hint === undefined ? {} : { hint: found.hint }) };
  if (found.warning === undefined)
    return { ...check, ok: true, message: `can be had from its ${Object.keys(source)[0]}` };
  const [message = "", hint] = found.warning.split(/: (?=chmod )/);
  return { ...check, ok: "warning", message, ...(hint === undefined ? {} : { hint }) };
}

async function keyCheck(config: Config, deps: ProjectCheckDeps): Promise<Check> {
  const name = "ssh keys";
  // Asking the connector would make the key, and doctor changes nothing.
  if (config.ssh.keys.length === 0 && !(await isThere(deps.ownKeyFile))) {
    return { name, ok: true, message: `none yet: the first bootstrap makes ${deps.ownKeyFile}` };
  }
  const lines = await (await deps.connector()).publicKeys();
  const admins = config.ssh.admins.length;
  return {
    name,
    ok: true,
    message: `${lines.length} to log in with${admins === 0 ? "" : `, ${admins} more are let in`}`,
  };
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

async function environmentCheck(config: Config, environment: string, deps: ProjectCheckDeps): Promise<Check> {
  const { project, failoverTo } = config;
  const name = `environment ${environment}`;
  const machines = await (await deps.machines(environment)).list({ project, environment });
  const [store] = await deps.stores();
  // A store that fails has a check of its own.
  const live = await liveGeneration(store, project).catch(() => undefined);
  const stopped = machines.filter(({ state }) => state === "stopped").map((machine) => machine.name);
  const found = machines.length === 0 ? "no machines" : `${machines.length} machines, ${stopped.length} stopped`;
  if (live === undefined || (live.environment !== environment && !isInTheWay(machines.length, failoverTo, environment)))
    return { name, ok: true, message: found };
  // After a failover the old environment stands still, and is to.
  if (live.environment !== environment) {
    return {
      name,
      ok: "warning",
      message: `${found}, from before; no failover can go there until they are gone`,
      hint: `summitctl destroy -e ${environment}    # when nothing on their disks is missed`,
    };
  }
  const message = `live, generation ${live.number}: ${found}`;
  if (machines.length > 0 && stopped.length === 0) return { name, ok: true, message };
  const missing = machines.length === 0 ? message : `${message}: ${stopped.join(", ")}`;
  return {
    name,
    ok: "warning",
    message: missing,
    hint: `summitctl bootstrap -e ${environment}    # or: summitctl failover`,
  };
}

const isInTheWay = (machines: number, failoverTo: readonly string[], environment: string): boolean =>
  machines > 0 && failoverTo.includes(environment);

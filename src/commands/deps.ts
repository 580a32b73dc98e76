import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import type { MachineProvider } from "../core/ports/machines.ts";
import type { Project } from "../environment/project.ts";
import type { Globals } from "./global-options.ts";

/** What commands hand to use cases, which take a `Pick` of it. Built once, by main. */
export interface CommandDeps extends Deps {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Throws before an action runs: the options are not known until then. */
  globals(): Globals;
  /** For commands with exit codes of their own (`check`, `ssh`): what to exit with when the action succeeds. */
  exitWith(code: number): void;
  /** summit.yaml, found and checked. */
  config(): Promise<Config>;
  /** summit.yaml with its packs and pins. */
  project(): Promise<Project>;
  /** Folder of the example app that comes with summitctl. */
  readonly example: string;
  /** Machines on this computer as no project has set them up, for `doctor`. */
  computer(): Promise<MachineProvider>;
  /** The login key that is made when summit.yaml names none; it need not exist yet. */
  readonly ownKeyFile: string;
  /** Folder of this user's demo. */
  readonly demoFolder: string;
  /** Calls back about once a minute until it is disposed of, whatever the clock does. */
  ticker(onTick: () => void): Promise<Disposable>;
  /** The same for another summit.yaml; with a signal, that one in place of the command's. */
  at(configFile: string, signal?: AbortSignal): CommandDeps;
}

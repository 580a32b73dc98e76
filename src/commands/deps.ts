import type { Deps } from "../core/deps.ts";
import type { Globals } from "./global-options.ts";

/**
 * What commands hand to use cases, which take a `Pick` of it. Built once, by main; everything that costs time to
 * build is a function that builds it when first called. `out` and `prompt` exist once an action runs: their form
 * follows from the global options.
 */
export interface CommandDeps extends Pick<Deps, "out" | "prompt" | "signal" | "now" | "version"> {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Throws before an action runs: the options are not known until then. */
  globals(): Globals;
  /** For commands with exit codes of their own (`check`, `ssh`): what to exit with when the action succeeds. */
  exitWith(code: number): void;
  // Lazy members that follow from config and globals, such as config() and stores(), belong here.
}

import { type Command, Option } from "commander";

/** What the options say that every command takes, before or after its name. */
export interface Globals {
  /** `--env NAME`; undefined: the project's default environment. */
  readonly env: string | undefined;
  /** `--config FILE`, else SUMMITCTL_CONFIG; undefined: look for summit.yaml here and above. */
  readonly config: string | undefined;
  readonly json: boolean;
  readonly yes: boolean;
  readonly verbose: boolean;
  /** False with `--no-color`. NO_COLOR is judged per stream, by main. */
  readonly color: boolean;
}

/** Declares them on the root. Commander then finds them on both sides of the verb, up to a `--`. */
export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(new Option("-e, --env <name>", "the environment to act on"))
    .addOption(
      new Option("--config <file>", "the project's file (or SUMMITCTL_CONFIG; default: summit.yaml here or above)"),
    )
    .addOption(new Option("--json", "stdout is JSON: one object, and events of long commands"))
    .addOption(new Option("-y, --yes", "answer yes to questions"))
    .addOption(new Option("-v, --verbose", "say more, and show the stack of an internal error"))
    .addOption(new Option("--no-color", "plain text (also NO_COLOR)"));
}

/** The global options as given to `command` or any of its parents. */
export function readGlobals(command: Command, env: NodeJS.ProcessEnv): Globals {
  const given = command.optsWithGlobals();
  return {
    env: given["env"],
    config: given["config"] ?? (env["SUMMITCTL_CONFIG"] || undefined),
    json: given["json"] === true,
    yes: given["yes"] === true,
    verbose: given["verbose"] === true,
    color: given["color"] !== false,
  };
}

/**
 * The same, when there is no command because the line could not be parsed: only what decides how an error is
 * shown.
 */
export function scanGlobals(argv: readonly string[]): Pick<Globals, "json" | "verbose"> {
  const end = argv.indexOf("--");
  const words = new Set(end === -1 ? argv : argv.slice(0, end));
  return {
    json: words.has("--json"),
    verbose: words.has("-v") || words.has("--verbose"),
  };
}

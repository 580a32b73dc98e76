import { Command, type CommanderError } from "commander";
import { registerBackup } from "./commands/backup.ts";
import { registerBackups } from "./commands/backups.ts";
import { registerBootstrap } from "./commands/bootstrap.ts";
import { registerCheck } from "./commands/check.ts";
import { registerDemo } from "./commands/demo.ts";
import type { CommandDeps } from "./commands/deps.ts";
import { registerDestroy } from "./commands/destroy.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerFailover } from "./commands/failover.ts";
import { addGlobalOptions } from "./commands/global-options.ts";
import { registerInit } from "./commands/init.ts";
import { registerRestore } from "./commands/restore.ts";
import { registerSchedule } from "./commands/schedule.ts";
import { registerSsh } from "./commands/ssh.ts";
import { registerStatus } from "./commands/status.ts";
import { SummitError } from "./core/errors.ts";
import { exitTable } from "./render-error.ts";

/**
 * The whole command line. Parsing never ends the process: it throws commander's error, which `usageError` turns into
 * ours, and prints nothing but help.
 */
export function buildProgram(deps: CommandDeps): Command {
  const program = addGlobalOptions(new Command("summitctl"))
    .description("Builds, backs up and recovers a PostgreSQL-backed web stack.")
    .usage("<command> [unit|service|environment] [options]")
    .version(deps.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help of a command")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => title.replace("Global Options", "Global options"),
    })
    .addHelpText("after", `\nExit codes:\n${exitTable()}`);

  program.commandsGroup("Environments:");
  registerInit(program, deps);
  registerDemo(program, deps);
  registerDoctor(program, deps);
  registerBootstrap(program, deps);
  registerStatus(program, deps);
  registerSsh(program, deps);
  registerDestroy(program, deps);

  program.commandsGroup("Backups:");
  registerBackup(program, deps);
  registerBackups(program, deps);
  registerSchedule(program, deps);

  program.commandsGroup("Recovery:");
  registerFailover(program, deps);
  registerRestore(program, deps);

  program.commandsGroup("Monitoring:");
  registerCheck(program, deps);
  return program;
}

/** Undefined when nothing is wrong: help or the version was asked for and printed. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): SummitError | undefined {
  if (error.exitCode === 0) return undefined;
  const path = commandPath(program, argv).join(" ");
  if (error.code === "commander.help") return new SummitError("usage", `expected a command after "${path}"`);
  // Commander's words are shown as they come, in the form of our own.
  const [message = "", ...details] = error.message.replace(/^error: /, "").split("\n");
  return new SummitError("usage", message.replace(/\.$/, "").replace(". Expected", ": expected"), {
    details: details.map((line) => line.replace(/^\((.*)\?\)$/, (_, words: string) => words.toLowerCase())),
    hint: `${path} --help`,
  });
}

/** `["summitctl", "backups", "list"]`: the innermost command that the words name. */
function commandPath(program: Command, argv: readonly string[]): string[] {
  const path = [program.name()];
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) continue;
    path.push(word);
    command = next;
  }
  return path;
}

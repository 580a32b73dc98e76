import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerSsh(program: Command, deps: CommandDeps): void {
  program
    .command("ssh")
    .argument("<unit>", "such as postgresql/0")
    .argument(
      "[command...]",
      "after --; byte-exact, its exit code is passed on; one word is a line for the shell there",
    )
    .description("log in to a unit's machine, or run a command on it")
    .action(async (unit: string, command: string[]) => {
      const { runSshCommand } = await import("../environment/ssh.ts");
      deps.exitWith(
        await runSshCommand({ project: deps.project, named: deps.globals().env, unit, command }, process, deps),
      );
    });
}

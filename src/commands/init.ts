import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerInit(program: Command, deps: CommandDeps): void {
  program
    .command("init")
    .argument("[folder]", "where to write summit.yaml", ".")
    .option("--project <name>", "the project's name (default: the folder's)")
    .option("--example", "run the conference schedule that comes with summitctl, to try things out", false)
    .description("write a commented summit.yaml to start from")
    .action(async (folder: string, { project, example }: { project?: string; example: boolean }) => {
      const { runInit } = await import("../config/init.ts");
      await runInit({ folder, project, example: example ? deps.example : undefined }, deps);
    });
}

import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerDoctor(program: Command, deps: CommandDeps): void {
  program
    .command("doctor")
    .description("look at this computer, the project and its stores, and say what is wrong; repairs nothing")
    .action(async () => {
      const { doctorExit, doctorView, runDoctor } = await import("../environment/doctor.ts");
      const { backupSummary } = await import("../backup/backup-summary.ts");
      const search = { flag: deps.globals().config, env: deps.env, cwd: deps.cwd };
      const result = await runDoctor({ search, node: process.versions.node, backupSummary }, deps);
      deps.out.result(result, doctorView);
      deps.exitWith(doctorExit(result));
    });
}

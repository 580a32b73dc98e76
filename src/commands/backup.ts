import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerBackup(program: Command, deps: CommandDeps): void {
  program
    .command("backup")
    .description("take a backup now: what cron runs")
    .action(async () => {
      const { chooseEnvironment } = await import("../environment/choose-environment.ts");
      const { backupView } = await import("../backup/backup-view.ts");
      const { takeBackup } = await import("../recovery/take-backup.ts");
      const project = await deps.project();
      const environment = await chooseEnvironment(project, deps.globals().env, deps);
      deps.out.result(await takeBackup(project, environment, deps), backupView);
    });
}

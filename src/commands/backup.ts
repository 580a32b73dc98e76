import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerBackup(program: Command, deps: CommandDeps): void {
  program
    .command("backup")
    .option("--notify", "tell those whom summit.yaml names under notify, as scheduled backups do", false)
    .description("take a backup now: what cron runs")
    .action(async ({ notify }: { notify: boolean }) => {
      const { backupView } = await import("../backup/backup-view.ts");
      const { takeScheduledBackup } = await import("../schedule/notified-backup.ts");
      deps.out.result(await takeScheduledBackup({ environment: deps.globals().env, notify }, deps), backupView);
    });
}

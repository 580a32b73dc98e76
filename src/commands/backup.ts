import type { Command } from "commander";
import { secondsOf } from "../core/duration.ts";
import type { CommandDeps } from "./deps.ts";

export function registerBackup(program: Command, deps: CommandDeps): void {
  program
    .command("backup")
    .option("--notify", "tell those whom summit.yaml names under notify, as scheduled backups do", false)
    .option("--lock-wait <seconds>", "wait for another backup to end", secondsOf("--lock-wait"), 0)
    .description("take a backup now: what cron runs")
    .action(async ({ notify, lockWait }: { notify: boolean; lockWait: number }) => {
      const { backupView } = await import("../backup/backup-view.ts");
      const { takeScheduledBackup } = await import("../schedule/notified-backup.ts");
      deps.out.result(
        await takeScheduledBackup({ environment: deps.globals().env, notify, lockWait }, deps),
        backupView,
      );
    });
}

import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerBackups(program: Command, deps: CommandDeps): void {
  const backups = program.command("backups").description("what is in the stores");
  const request = async () => ({ project: (await deps.config()).project, environment: deps.globals().env });

  backups
    .command("list")
    .description("backups, newest first")
    .action(async () => {
      const { listBackups } = await import("../backup/list-backups.ts");
      const { backupsView } = await import("../backup/backup-view.ts");
      deps.out.result(await listBackups(await request(), deps), backupsView);
    });

  backups
    .command("show")
    .argument("<backup>", "an id, or latest")
    .description("what one backup holds")
    .action(async (id: string) => {
      const { showBackup } = await import("../backup/list-backups.ts");
      const { manifestView } = await import("../backup/backup-view.ts");
      deps.out.result(await showBackup(await request(), id, deps), manifestView);
    });

  backups
    .command("get")
    .argument("<backup>", "an id, or latest")
    .option("--to <folder>", "where to put its folder", ".")
    .description("copy a backup's files here, each part checked")
    .action(async (id: string, { to }: { to: string }) => {
      const { fetchBackup } = await import("../backup/list-backups.ts");
      const { getView } = await import("../backup/get-backup.ts");
      deps.out.result(await fetchBackup(await request(), id, to, deps), getView);
    });
}

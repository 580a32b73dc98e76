import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

interface RestoreOptions {
  readonly to: string;
  readonly database?: string;
  readonly as?: string;
  readonly replace: boolean;
}

export function registerRestore(program: Command, deps: CommandDeps): void {
  program
    .command("restore")
    .argument("<backup>", "an id, or latest")
    .requiredOption("--to <environment>", "the environment that gets it")
    .option("--database <name>", "which database of the backup")
    .option("--as <name>", "the name it gets (default: the one it had)")
    .option("--replace", "take the place of a database of that name, which is kept under another", false)
    .description("restore a database beside what is there, check it, then give it its name")
    .action(async (backup: string, { to, database, as, replace }: RestoreOptions) => {
      const { restoreBackup, restoredView } = await import("../recovery/restore-backup.ts");
      deps.out.result(
        await restoreBackup({ project: await deps.project(), backup, to, database, as, replace }, deps),
        restoredView,
      );
    });
}

import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

interface FailoverOptions {
  readonly to?: string;
  readonly backup?: string;
  readonly force: boolean;
  readonly reason?: string;
  readonly dryRun: boolean;
}

export function registerFailover(program: Command, deps: CommandDeps): void {
  program
    .command("failover")
    .option("--to <environment>", "the environment to build (default: the first of failover_to that is not live)")
    .option("--backup <id>", "the backup to restore (default: the newest that counts)")
    .option("--force", "go on although the old environment still serves; needs --reason", false)
    .option("--reason <text>", "why, for the record")
    .option("--dry-run", "show the plan and change nothing", false)
    .description("build a fresh environment, restore the latest good backup, move the traffic; run again, it goes on")
    .action(async ({ to, backup, force, reason, dryRun }: FailoverOptions) => {
      const { failover } = await import("../recovery/failover-command.ts");
      await failover({ project: await deps.project(), to, backup, force, reason }, { ...deps, dryRun });
    });
}

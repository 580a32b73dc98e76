import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerStatus(program: Command, deps: CommandDeps): void {
  program
    .command("status")
    .description("show units, machines, addresses, versions and health")
    .action(async () => {
      const { runStatus, statusView } = await import("../environment/status.ts");
      deps.out.result(
        await runStatus({ project: await deps.project(), environment: deps.globals().env }, deps),
        statusView,
      );
    });
}

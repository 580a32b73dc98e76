import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerDestroy(program: Command, deps: CommandDeps): void {
  program
    .command("destroy")
    .option("--confirm <name>", "the environment's name, in place of typing it")
    .description("remove an environment's machines; backups stay")
    .action(async ({ confirm }: { confirm?: string }) => {
      const { destroyView, runDestroy } = await import("../environment/destroy.ts");
      const request = { project: await deps.project(), environment: deps.globals().env, confirm };
      deps.out.result(await runDestroy(request, deps), destroyView);
    });
}

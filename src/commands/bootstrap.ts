import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerBootstrap(program: Command, deps: CommandDeps): void {
  program
    .command("bootstrap")
    .option("--upgrade", "take over an environment that another version of summitctl made", false)
    .description("make an environment what summit.yaml says; run again, it changes nothing or completes")
    .action(async ({ upgrade }: { upgrade: boolean }) => {
      const { chooseEnvironment } = await import("../environment/choose-environment.ts");
      const { bootstrapView, runBootstrap } = await import("../environment/bootstrap.ts");
      const project = await deps.project();
      const environment = await chooseEnvironment(project, deps.globals().env, deps);
      deps.out.result(await runBootstrap({ project, environment, upgrade }, deps), bootstrapView);
    });
}

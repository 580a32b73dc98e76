import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerCheck(program: Command, deps: CommandDeps): void {
  program
    .command("check")
    .description("one line for monitoring: are the backups in the stores fresh, whole, everywhere; exits 0, 1, 2 or 3")
    .action(async () => {
      const { runCheck } = await import("../monitor/check.ts");
      const { checkExit, checkView } = await import("../monitor/check-view.ts");
      const result = await runCheck({ config: deps.config, environment: deps.globals().env }, deps);
      deps.out.result(result, checkView);
      deps.exitWith(checkExit(result));
    });
}

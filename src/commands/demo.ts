import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerDemo(program: Command, deps: CommandDeps): void {
  program
    .command("demo")
    .option("--keep", "leave it running and print where", false)
    .option("--size <size>", "how much data, such as 20MB", "20MB")
    .description("the main job on this computer: build, fill, back up, lose everything, fail over, compare")
    .action(async ({ keep, size }: { keep: boolean; size: string }) => {
      const { demoView, runDemo } = await import("../recovery/demo.ts");
      deps.out.result(await runDemo({ folder: deps.demoFolder, example: deps.example, keep, size }, deps), demoView);
    });
}

import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerDoctor(program: Command, deps: CommandDeps): void {
  program
    .command("doctor")
    .description("check this computer, the project and its stores; changes nothing")
    .action(async () => {
      const { doctorExit, doctorView, runDoctor } = await import("../environment/doctor.ts");
      const { readCatalog } = await import("../backup/catalog.ts");
      const { dataTime } = await import("../backup/manifest.ts");
      const search = { flag: deps.globals().config, env: deps.env, cwd: deps.cwd };
      const result = await runDoctor({ search, node: process.versions.node }, { ...lookers(deps), readCatalog, dataTime });
      deps.out.result(result, doctorView);
      deps.exitWith(doctorExit(result));
    });
}

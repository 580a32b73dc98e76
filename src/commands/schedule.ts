import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

interface InstallOptions {
  readonly systemd: boolean;
  readonly crontab: boolean;
  readonly user: boolean;
  readonly envFile?: string;
}

export function registerSchedule(program: Command, deps: CommandDeps): void {
  const schedule = program.command("schedule").description("backups by themselves, as summit.yaml says");
  const environment = (): string | undefined => deps.globals().env;
  const places = { env: deps.env };

  schedule
    .command("run")
    .description("take backups at their times, in the foreground; Ctrl-C ends it after the one that runs")
    .action(async () => {
      const { scheduleRunView } = await import("../schedule/run-schedule.ts");
      const { runBackupSchedule } = await import("../schedule/run-backup-schedule.ts");
      deps.out.result(await runBackupSchedule(environment(), deps), scheduleRunView);
    });

  schedule
    .command("show")
    .description("the next ten runs, the last one, and whether a timer of this computer does it")
    .action(async () => {
      const { scheduleView, showSchedule } = await import("../schedule/show.ts");
      deps.out.result(await showSchedule({ environment: environment(), places }, deps), scheduleView);
    });

  schedule
    .command("prove")
    .description("would a scheduled backup work, in the environment that this runs in; takes none")
    .action(async () => {
      const { proofExit, proofView, proveSchedule } = await import("../schedule/prove.ts");
      const result = await proveSchedule(environment(), deps);
      deps.out.result(result, proofView);
      deps.exitWith(proofExit(result));
    });

  schedule
    .command("install")
    .option("--systemd", "a systemd service and timer (default where systemd runs)", false)
    .option("--crontab", "a line in your crontab", false)
    .option("--user", "a timer of your own systemd, without root", false)
    .option("--env-file <file>", "NAME=value lines that the timer needs, such as secrets; readable by you alone")
    .description("set up a timer of this computer, after proving that a backup works where it runs")
    .action(async ({ envFile, ...flags }: InstallOptions) => {
      const { installSchedule } = await import("../schedule/install-schedule.ts");
      const { installView } = await import("../schedule/install-view.ts");
      const request = { ...flags, environment: environment(), environmentFile: envFile, places, self: process };
      deps.out.result(await installSchedule(request, deps), installView);
    });

  schedule
    .command("uninstall")
    .description("take the timer of this computer away")
    .action(async () => {
      const { uninstallTimer } = await import("../schedule/install.ts");
      const { uninstallView } = await import("../schedule/install-view.ts");
      const { timerName } = await import("../schedule/timer-job.ts");
      const name = timerName((await deps.config()).project, environment());
      deps.out.result(await uninstallTimer(name, { places }, deps), uninstallView);
    });
}

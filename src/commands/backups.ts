import type { Command } from "commander";
import type { CommandDeps } from "./deps.ts";

export function registerBackups(program: Command, deps: CommandDeps): void {
  const backups = program.command("backups").description("what is in the stores");
  const request = async (id: string) => ({
    project: (await deps.config()).project,
    backup: { id, environment: deps.globals().env },
  });

  backups
    .command("list")
    .description("backups, newest first; which one is the latest, and which can never be")
    .action(async () => {
      const { backupsView, listBackups, listExit } = await import("../recovery/list-backups.ts");
      const result = await listBackups({ config: await deps.config(), environment: deps.globals().env }, deps);
      deps.out.result(result, backupsView);
      deps.exitWith(listExit(result));
    });

  backups
    .command("show")
    .argument("<backup>", "an id, or latest")
    .description("what one backup holds")
    .action(async (id: string) => {
      const { showBackup } = await import("../recovery/look-into-backup.ts");
      const { manifestView } = await import("../backup/backup-view.ts");
      deps.out.result(await showBackup(await request(id), deps), manifestView);
    });

  backups
    .command("get")
    .argument("<backup>", "an id, or latest")
    .option("--to <folder>", "where to put its folder", ".")
    .description("copy a backup's files here, each part checked")
    .action(async (id: string, { to }: { to: string }) => {
      const { fetchBackup } = await import("../recovery/look-into-backup.ts");
      const { getView } = await import("../backup/get-backup.ts");
      deps.out.result(await fetchBackup(await request(id), to, deps), getView);
    });

  backups
    .command("copy")
    .argument("[backup]", "an id, or latest", "latest")
    .option("--all", "every backup that a store lacks, newest first", false)
    .option("--from <url>", "from this store (default: the first that has it whole)")
    .option("--to <url>", "into this store (default: each other one)")
    .description("copy backups between the stores, each part checked, and that they are kept")
    .action(async (id: string, { all, from, to }: { all: boolean; from?: string; to?: string }) => {
      const { copyBackups } = await import("../recovery/copy-backups.ts");
      const { copiedView, copyExit } = await import("../recovery/copy-view.ts");
      const request = { backup: all ? undefined : id, environment: deps.globals().env, from, to };
      const result = await copyBackups({ config: await deps.config(), ...request }, deps);
      deps.out.result(result, copiedView);
      deps.exitWith(copyExit(result));
    });

  backups
    .command("import")
    .argument("<file>", "a dump: SQL text or custom format, plain or packed by bzip2, gzip or zstd")
    .requiredOption("--database <name>", "the database that it is of")
    .option("--taken-at <time>", "such as 2012-08-28T09:00:00Z (default: when the file was last written)")
    .description("make a backup of a dump that was made by hand, if it is whole")
    .action(async (file: string, { database, takenAt }: { database: string; takenAt?: string }) => {
      const { importBackup, importedView } = await import("../recovery/import-backup.ts");
      const environment = deps.globals().env;
      const request = { project: await deps.project(), file, database, takenAt, environment };
      deps.out.result(await importBackup(request, deps), importedView);
    });

  backups
    .command("verify")
    .argument("[backup]", "an id, or latest", "latest")
    .option("--store <url>", "look into this store only (default: each one that holds it)")
    .description("read back all of a backup, decode it here, compare it with its manifest, and record the result")
    .action(async (id: string, { store }: { store?: string }) => {
      const { verifyBackups, verifyExit, verifyView } = await import("../recovery/verify-backups.ts");
      const backup = { id, environment: deps.globals().env };
      const result = await verifyBackups({ config: await deps.config(), backup, store }, deps);
      deps.out.result(result, verifyView);
      deps.exitWith(verifyExit(result));
    });

  backups
    .command("prune")
    .option("--dry-run", "show what would be removed, and why", false)
    .option("--store <url>", "in this store only (default: each one)")
    .option("--broken", "remove damaged ones too, and those whose verification failed, where a good one is left", false)
    .description("remove what retention does not keep")
    .action(async (options: { dryRun: boolean; store?: string; broken: boolean }) => {
      const { pruneBackups } = await import("../recovery/prune-backups.ts");
      const { prunedView, pruneExit } = await import("../recovery/prune-view.ts");
      const environment = deps.globals().env;
      const result = await pruneBackups(
        { config: await deps.config(), environment, store: undefined, ...options },
        deps,
      );
      deps.out.result(result, prunedView);
      deps.exitWith(pruneExit(result));
    });

  const keep = async (id: string, kept: { reason: string; until: string | undefined } | undefined): Promise<void> => {
    const { keepBackup, keptExit, keptView } = await import("../backup/keep-backup.ts");
    const backup = { id, environment: deps.globals().env };
    const result = await keepBackup({ config: await deps.config(), backup, keep: kept }, deps);
    deps.out.result(result, keptView);
    deps.exitWith(keptExit(result));
  };

  backups
    .command("keep")
    .argument("<backup>", "an id")
    .requiredOption("--reason <text>", "why; the list shows it")
    .option("--until <date>", "a day such as 2027-01-31, UTC, after which retention may remove it")
    .description("keep a backup from retention, in every store that holds it")
    .action(async (id: string, { reason, until }: { reason: string; until?: string }) => {
      await keep(id, { reason, until });
    });

  backups
    .command("release")
    .argument("<backup>", "an id")
    .description("let retention remove it again")
    .action(async (id: string) => await keep(id, undefined));
}

import type { Config } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { exitCode, isSummitError, messageOf } from "../core/errors.ts";
import type { Output } from "../core/ports/output.ts";
import { type NotifyDeps, notifier } from "./notify.ts";
import { recordedOutput } from "./recorded-output.ts";

export interface NotifiedJob<T> {
  /** `backup` */
  readonly job: string;
  readonly config: Pick<Config, "project" | "notify">;
  /** The environment, as far as it is known when somebody is told. */
  environment(): string;
  run(out: Output): Promise<T>;
  /** One line that says what came of it. */
  line(result: T): string;
}

/** Runs a job and tells those whom summit.yaml names how it went. What the job throws is thrown, told or not. */
export async function runNotified<T>(
  { job, config, environment, run, line }: NotifiedJob<T>,
  deps: NotifyDeps & Pick<Deps, "now">,
): Promise<T> {
  const { out, lines } = recordedOutput(deps.out);
  const teller = notifier(config.notify, deps);
  const startedAt = deps.now();
  const end = (exit: number, said: readonly string[]): Promise<void> =>
    teller.end({
      job,
      project: config.project,
      environment: environment(),
      exit,
      startedAt: startedAt.toISOString(),
      seconds: (deps.now().getTime() - startedAt.getTime()) / 1000,
      lines: [...lines, ...said],
    });
  teller.start();
  let result: T;
  try {
    result = await run(out);
  } catch (error) {
    await end(exitCode(isSummitError(error) ? error.kind : "unexpected"), errorLines(error));
    throw error;
  }
  await end(exitCode("ok"), [line(result)]);
  return result;
}

function errorLines(error: unknown): string[] {
  const { details, hint } = isSummitError(error) ? error : { details: [], hint: undefined };
  return [
    `error: ${messageOf(error)}`,
    ...details.map((detail) => `  ${detail}`),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ];
}

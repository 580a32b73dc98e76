import { readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import type { CommandDeps } from "./commands/deps.ts";
import { type Globals, readGlobals, scanGlobals } from "./commands/global-options.ts";
import { composeLazily } from "./compose.ts";
import { exitCode, isSummitError, SummitError } from "./core/errors.ts";
import { openTalk, type Talk } from "./open-talk.ts";
import { ownProcess } from "./own-process.ts";
import { buildProgram, usageError } from "./program.ts";
import { errorRecord, renderError } from "./render-error.ts";

/**
 * Runs one command line and resolves with the exit code. Composition root: the only place that knows both use cases
 * and providers. `build` is for tests that add commands.
 */
export async function main(argv: string[], build: (deps: CommandDeps) => Command = buildProgram): Promise<number> {
  let talk: Talk | undefined;
  let globals: Globals | undefined;
  let code = 0;
  const show = (thrown: unknown): number => showError(thrown, globals ?? scanGlobals(argv), talk);
  await using owned = ownProcess({
    note: (line) => (talk ? talk.out.note(line) : process.stderr.write(`${line}\n`)),
    broken: show,
    leave: (status) => {
      talk?.close();
      // Nothing that still runs may hold up a second Ctrl-C, or go on after a defect.
      process.exit(status);
    },
  });

  const depsFor = (settings: () => Globals, signal: AbortSignal): CommandDeps => {
    const base = { signal, env: process.env, cwd: process.cwd(), version: version(), globals: settings };
    return {
      get out() {
        return opened(talk).out;
      },
      get prompt() {
        return opened(talk).prompt;
      },
      now: () => new Date(),
      ...base,
      ...composeLazily({ ...base, warn: (line) => opened(talk).out.warn(line) }),
      exitWith: (status) => {
        code = status;
      },
      at: (config, other = signal) => depsFor(() => ({ ...settings(), config }), other),
    };
  };
  const deps = depsFor(() => opened(globals), owned.signal);
  const program = build(deps);
  program.hook("preAction", async (_program, action) => {
    globals = readGlobals(action, process.env);
    talk = await openTalk(globals, owned.signal);
  });

  try {
    await program.parseAsync(argv, { from: "user" });
    talk?.close();
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      const wrong = usageError(thrown, program, argv);
      return wrong === undefined ? 0 : show(wrong);
    }
    if (!owned.signal.aborted) return show(thrown);
    show(cutError(thrown, owned.signal.reason));
    return exitCode("interrupted");
  }
}

/** A use case that says how to go on is heard; else what was cut is a detail, and running it again is the way. */
function cutError(thrown: unknown, reason: SummitError): unknown {
  if (!isSummitError(thrown)) return reason;
  if (thrown.hint !== undefined) return thrown;
  const details = thrown === reason ? [] : [thrown.message];
  return new SummitError("interrupted", reason.message, {
    details,
    ...(reason.hint === undefined ? {} : { hint: reason.hint }),
    cause: thrown,
  });
}

/** Prints it, after everything else, and returns its exit code. */
function showError(thrown: unknown, { json, verbose }: Pick<Globals, "json" | "verbose">, talk?: Talk): number {
  talk?.close();
  const record = errorRecord(thrown, verbose);
  if (json) process.stdout.write(`${JSON.stringify(record)}\n`);
  else process.stderr.write(renderError(thrown, { verbose, ...(talk ? { paint: talk.paint } : {}) }));
  return record.exit;
}

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new SummitError("unexpected", "output was used before a command ran");
  return value;
}

function version(): string {
  // The same folder holds src/ and dist/.
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

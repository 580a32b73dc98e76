import { exportLines, quote } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import type { Shell } from "../core/ports/shell.ts";
import { REMOTE, SECRETS_FOLDER } from "./hook-environment.ts";
import type { HookName } from "./pack-types.ts";

export interface HookRun {
  /** For messages: `production summit/0`. */
  readonly unit: string;
  readonly hooks: readonly HookName[];
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Seconds a hook may take: a slow mirror is no failure, a hook that hangs is one. */
const HOOK_LIMIT = 1800;

const CHANGES_MARK = "\nchanges\n";

/**
 * The script that runs hooks of one unit one after the other. It goes over stdin, so no value shows in a process
 * list. The lock keeps a hook that a lost link left running from meeting its own repetition.
 */
export function hookScript({ hooks, environment }: Pick<HookRun, "hooks" | "environment">): string {
  const pack = environment["SUMMIT_PACK"] ?? "";
  const changes = `${REMOTE.changes}.$$`;
  return `set -eu
mkdir -p ${REMOTE.root} /run/summitctl; ${SECRETS_FOLDER}
exec 9>/run/summitctl/hooks.lock; flock -w ${HOOK_LIMIT} 9
${exportLines({ PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", ...environment })}export SUMMIT_CHANGES="${changes}"; : >"$SUMMIT_CHANGES"
for hook in ${hooks.map(quote).join(" ")}; do
  ${quote(pack)}/hooks/"$hook" </dev/null 9>&- || { code=$?; echo "hook $hook ended with exit status $code" >&2; rm -f "$SUMMIT_CHANGES"; exit "$code"; }
done
printf '\\nchanges\\n'; cat "$SUMMIT_CHANGES"; rm -f "$SUMMIT_CHANGES"
`;
}

/** Runs hooks and returns what they changed. Throws kind `remote` with the hook's words when one fails. */
export async function runHooks(shell: Shell, run: HookRun): Promise<string[]> {
  const result = await shell.run(["sh", "-s"], { input: hookScript(run), timeout: HOOK_LIMIT, signal: run.signal });
  // The last one is the script's own: a hook may say the same word.
  const end = result.stdout.lastIndexOf(CHANGES_MARK);
  if (result.code === 0)
    return result.stdout
      .slice(end + CHANGES_MARK.length)
      .split("\n")
      .filter(Boolean);
  const words = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-12);
  throw new SummitError(
    "remote",
    `${run.unit}: ${result.stderr.trim().split("\n").at(-1) || `a hook ended with ${result.signal ?? result.code}`}`,
    {
      details: words,
      hint: "mend what it says, then run the same command again: it goes on where it stopped",
    },
  );
}

export interface UnitHealth {
  readonly healthy: boolean;
  /** The hook's own line. */
  readonly message: string;
}

/** Asks the unit's health hook. Never throws for an unhealthy unit. */
export async function askHealth(shell: Shell, run: Omit<HookRun, "hooks">): Promise<UnitHealth> {
  const script = `${exportLines({ PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", ...run.environment })}exec ${quote(`${run.environment["SUMMIT_PACK"]}/hooks/health`)} </dev/null`;
  const result = await shell.run(["sh", "-s"], { input: script, timeout: 30, signal: run.signal });
  const message = (result.stdout.trim() || result.stderr.trim()).split("\n").at(-1) ?? "";
  return {
    healthy: result.code === 0,
    message: message || `health ended with ${result.signal ?? `exit status ${result.code}`}`,
  };
}

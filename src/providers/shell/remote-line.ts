import { type Argv, toShell } from "../../core/argv.ts";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";

/**
 * Tells the process group on stderr, as `TOKEN PGID`, and becomes the command. The group is read, not made: sshd gives
 * every command a session of its own, and a sudo that uses a pseudo terminal makes another one. `setsid --wait` would
 * fork in that case and turn every signal death into exit status 1.
 */
const START =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell text
  'read -r s </proc/$$/stat; s=${s##*) }; s=${s#* }; s=${s#* }; cd /; printf "%s %s\\n" "$1" "${s%% *}" >&2; shift; exec "$@"';

/** Becomes another user without sudo. Execs all the way, so that signals and exit status stay those of the command. */
const BECOME =
  'u=$1; shift; g=$(id -g "$u") && exec setpriv --reuid "$u" --regid "$g" --init-groups --reset-env -- "$@"';

/** One script, so that it finishes on the machine even if the link is lost meanwhile. */
const END = [
  'kill -s TERM -- "-$1" 2>/dev/null',
  'n=$2; while kill -s 0 -- "-$1" 2>/dev/null && [ "$n" -gt 0 ]; do sleep 0.1; n=$((n-1)); done',
  'kill -s KILL -- "-$1" 2>/dev/null',
  "exit 0",
].join("; ");

export interface Login {
  /** `root` needs no sudo; every other login goes through `sudo -n`. */
  readonly user: string;
}

/**
 * The shell text that runs `argv` as root, or as `as`, in `/`, after it has told its process group with `token`.
 * `exec` in front: with it sshd sees the command's own exit status and signal, whichever login shell there is.
 */
export function startLine(login: Login, argv: Argv, { as, token }: { as: string | undefined; token: string }): string {
  const start = ["/bin/sh", "-c", START, "sh", token, ...argv] as const;
  if (as !== undefined) checkUser(as);
  if (login.user !== "root") {
    return toShell(["exec", "sudo", "-n", ...(as === undefined ? [] : ["-u", as]), "--", ...start]);
  }
  return as === undefined || as === "root"
    ? toShell(["exec", ...start])
    : toShell(["exec", "/bin/sh", "-c", BECOME, "sh", as, ...start]);
}

/** The shell text that ends a process group: TERM, and KILL for what is left after `grace` seconds. */
export function endLine(login: Login, group: number, grace: number): string {
  const end = ["/bin/sh", "-c", END, "sh", String(group), String(Math.ceil(grace * 10))] as const;
  return toShell(login.user === "root" ? ["exec", ...end] : ["exec", "sudo", "-n", "--", ...end]);
}

function checkUser(user: string): void {
  if (!/^[a-z_][a-z0-9_.-]{0,31}$/i.test(user)) {
    throw new SummitError("usage", `expected the name of a user such as postgres, got ${show(user)}`);
  }
}

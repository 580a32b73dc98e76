import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Argv } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import { parseUnit, unitText } from "../core/names.ts";
import { chooseEnvironment } from "./choose-environment.ts";
import type { Project } from "./project.ts";
import { lookAt, machineOf, targetOf } from "./reach.ts";

export interface SshRequest {
  /** Read inside, so that a wrong summit.yaml is a failure of ours, too. */
  readonly project: () => Promise<Project>;
  /** `--env`; undefined: the live environment. */
  readonly named: string | undefined;
  readonly unit: string;
  /** Empty: an interactive shell. */
  readonly command: readonly string[];
}

export interface LocalStreams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
}

export type SshDeps = Pick<Deps, "out" | "signal" | "version" | "machines" | "stores" | "connector">;

/** Signals as shells tell them: 128 plus the number. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** As `runSsh`, with 255 for every failure of our own, as ssh does: the far side's exit codes keep their meaning. */
export async function runSshCommand(request: SshRequest, streams: LocalStreams, deps: SshDeps): Promise<number> {
  try {
    return await runSsh(request, streams, deps);
  } catch (error) {
    if (!isSummitError(error) || error.kind === "interrupted") throw error;
    deps.out.warn(error.message);
    for (const detail of error.details) deps.out.note(`  ${detail}`);
    if (error.hint !== undefined) deps.out.note(`hint: ${error.hint}`);
    return 255;
  }
}

/**
 * Runs a command on a unit's machine as the login user, byte-exact in both directions, or an interactive shell.
 * Resolves with the remote exit code; failures of our own are the caller's to turn into 255.
 */
async function runSsh(request: SshRequest, streams: LocalStreams, deps: SshDeps): Promise<number> {
  const { unit, command } = request;
  const project = await request.project();
  const environment = await chooseEnvironment(project, request.named, deps);
  const standing = await lookAt(project, environment, deps);
  const machine = machineOf(standing, unitText(parseUnit(unit)));
  const connector = await deps.connector();
  await using shell = await connector.connect(await targetOf(standing, machine, 0, deps));
  const [program, ...rest] = command;
  if (program === undefined) {
    const { code, signal } = await shell.terminal({
      input: streams.stdin,
      output: streams.stdout,
      term: process.env["TERM"] || "xterm",
    });
    return exitOf(code, signal);
  }
  // One word is a line for the shell there, as with ssh itself; several are taken exactly as they are.
  const argv: Argv = rest.length === 0 ? ["sh", "-c", program] : [program, ...rest];
  const child = await shell.open(argv, { as: project.config.ssh.user, signal: deps.signal });
  // The far side may end without reading all of its input: that is its right, not an error.
  pipeline(streams.stdin, child.stdin).catch(() => undefined);
  await Promise.all([
    pipeline(child.stdout, streams.stdout, { end: false }),
    pipeline(child.stderr, streams.stderr, { end: false }),
  ]);
  const { code, signal } = await child.exit;
  streams.stdin.destroy();
  return exitOf(code, signal);
}

function exitOf(code: number | undefined, signal: string | undefined): number {
  if (code !== undefined) return code;
  const number = SIGNALS[(signal ?? "").startsWith("SIG") ? (signal ?? "") : `SIG${signal}`];
  if (number === undefined) throw new SummitError("remote", `the remote process ended with ${signal ?? "no status"}`);
  return 128 + number;
}

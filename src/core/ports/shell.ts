import type { Readable, Writable } from "node:stream";
import type { Argv } from "../argv.ts";

/** How a remote process ended. Exactly one of `code` and `signal` is set. A lost link is an error, not an exit. */
export interface ExitStatus {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface RunOptions {
  /** Run as this user; omitted: as root. The operator's login never runs anything itself. */
  readonly as?: string;
  /** Sent to the process's standard input, which is then closed. Empty when omitted. */
  readonly input?: string | Uint8Array | Readable;
  /** Aborting ends the remote process group (TERM, then KILL after five seconds). Added to the shell's own signal. */
  readonly signal?: AbortSignal;
  /** Seconds after which the process group is ended and a `remote` error thrown. Omitted: no limit. */
  readonly timeout?: number;
}

export interface RunResult extends ExitStatus {
  /** At most 16 MiB; more is an error, since such output belongs into `open`. */
  readonly stdout: string;
  /** The last 64 KiB. */
  readonly stderr: string;
}

export interface RemoteProcess {
  readonly stdin: Writable;
  /** Byte-exact. Back-pressure reaches the remote process. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves once the process has ended AND its output was delivered to the streams. Rejects with kind `remote`
   * when the link was lost (nothing is known of the process then) and with kind `interrupted` after an abort.
   */
  readonly exit: Promise<ExitStatus>;
}

/**
 * Commands run in `/` with a clean environment, as leaders of process groups of their own. When a link dies, the
 * process there sees the end of its input: it must not take that for the end of what it was to get.
 *
 * One authenticated connection to one machine whose host key was known before the first byte was sent.
 */
export interface Shell extends AsyncDisposable {
  /** The host key that the machine proved, as `ssh-ed25519 AAAA…` without a comment. */
  readonly hostKey: string;
  /**
   * Runs a command and collects its output. Resolves for every exit status: the caller decides what a non-zero
   * one means. Safe to repeat only if the command is.
   */
  run(argv: Argv, options?: RunOptions): Promise<RunResult>;
  /** As `run`, but throws kind `remote` with the end of stderr when the exit status is not 0. Returns stdout. */
  must(argv: Argv, options?: RunOptions): Promise<string>;
  /** Starts a command and hands over its streams. The caller reads both outputs to their end. */
  open(argv: Argv, options?: Omit<RunOptions, "input" | "timeout">): Promise<RemoteProcess>;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ShellTarget {
  /** What messages call it: a unit or machine of an environment, such as `production postgresql/0`. */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly user: string;
  /** The keys the machine may prove, as `ssh-ed25519 AAAA…`. Never empty: nothing is trusted on first use. */
  readonly hostKeys: readonly [string, ...string[]];
  /** Seconds to keep trying while the machine refuses connections or is not reachable yet; 0 tries once. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

export interface SshKeyPair {
  /** OpenSSH private key text. A bearer secret. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` without a comment. */
  readonly publicKey: string;
}

export interface ShellConnector {
  /**
   * Resolves with an authenticated shell. Rejects with kind `remote`: unreachable, authentication refused, or a
   * host key that is not among `hostKeys` (message names both fingerprints; nothing was sent to that host).
   */
  connect(target: ShellTarget): Promise<Shell>;
  /** The public keys that `connect` will offer, as `ssh-ed25519 AAAA…` lines: what a new machine must let in. */
  publicKeys(): Promise<readonly string[]>;
  /** A fresh ed25519 pair, used as a machine's boot-only host key. */
  generateKeyPair(): SshKeyPair;
}

/** This side of an interactive session; `process.stdin` and `process.stdout` fit. */
export interface TerminalIo {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  /** Emits `resize` when its size changes. */
  readonly output: Writable & { readonly columns?: number; readonly rows?: number };
  /** What `TERM` is there: `xterm-256color`. */
  readonly term: string;
}

/** A shell that can also give the operator a prompt. */
export interface TerminalShell extends Shell {
  /**
   * An interactive login shell in a pseudo terminal, as the login user. Resolves with how it ended; rejects with kind
   * `remote` when the link was lost. `io.input` is in raw mode meanwhile, so Ctrl-C goes to the machine; the mode is
   * restored in every case and neither stream is closed.
   */
  terminal(io: TerminalIo): Promise<ExitStatus>;
}

export interface TerminalConnector extends ShellConnector {
  connect(target: ShellTarget): Promise<TerminalShell>;
}

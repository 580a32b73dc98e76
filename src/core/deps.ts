import type { AgeIdentity } from "./age-keys.ts";
import type { Argv } from "./argv.ts";
import type { AddressPort, MachineProvider } from "./ports/machines.ts";
import type { ObjectMemory } from "./ports/object-memory.ts";
import type { Output, Prompt } from "./ports/output.ts";
import type { TerminalConnector } from "./ports/shell.ts";
import type { ObjectStore } from "./ports/store.ts";
import type { TreeReader } from "./ports/tree.ts";
import type { Secret } from "./secret.ts";
import type { Now } from "./time.ts";

/**
 * Everything a use case may need of the outside. Members that cost something are functions and are built when first
 * called. A use case takes `Pick<Deps, …>`: its signature says what it touches.
 */
export interface Deps {
  readonly out: Output;
  readonly prompt: Prompt;
  readonly now: Now;
  /** Aborted by Ctrl-C, with the error that says so. */
  readonly signal: AbortSignal;
  /** Version of this summitctl. */
  readonly version: string;
  /** The provider of that environment's machines. */
  machines(environment: string): Promise<MachineProvider>;
  /** The project's address, as that environment's provider can move it. */
  address(environment: string): Promise<AddressPort>;
  /** A secret of the project by name, resolved now. Rejects with kind `config`. */
  secret(name: string): Promise<Secret>;
  /**
   * The identities that open encrypted backups, resolved when first asked for; may ask for a passphrase. Rejects with
   * kind `config`. Without it there are none.
   */
  readonly identities?: () => Promise<readonly AgeIdentity[]>;
  /** Locks an environment against other commands of this computer. Rejects with kind `locked` and says who. */
  lock(environment: string, what: string): Promise<AsyncDisposable>;
  /** Every configured store, in the order of summit.yaml; the first one holds state. */
  stores(): Promise<readonly [ObjectStore, ...ObjectStore[]]>;
  /** Without it everything is read each time. */
  readonly memory?: ObjectMemory | undefined;
  connector(): Promise<TerminalConnector>;
  trees(): Promise<TreeReader>;
  /** Fetches over HTTP without following redirects; used to look at the stack from outside. */
  readonly http: HttpGet;
  /** Tells somebody over HTTP how something went. */
  readonly post: HttpPost;
  /** Runs a program of this computer, such as systemctl. */
  readonly local: RunLocal;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds, for the whole exchange. */
  readonly timeout: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Rejects with kind `remote` when no answer came; an answer of any status resolves. */
export type HttpGet = (request: HttpRequest) => Promise<HttpAnswer>;

export interface HttpMessage {
  /** Never shown: whoever has it may call it. */
  readonly url: Secret;
  readonly body: string;
  /** `application/json` */
  readonly type: string;
  /** Seconds, for the whole exchange. */
  readonly timeout: number;
}

/**
 * Sends a message and resolves with the status of the answer, whatever it is; its body is not read. Rejects with kind
 * `remote` when no answer came; the message holds nothing of the URL. Not ended by Ctrl-C: that is worth telling too.
 */
export type HttpPost = (message: HttpMessage) => Promise<number>;

export interface LocalRun {
  /** Undefined: it could not be started, such as a program that is not there; `stderr` says why. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves however it ends. Its environment is this process's; it is ended after `timeout` seconds. */
export type RunLocal = (
  argv: Argv,
  options?: { readonly input?: string; readonly timeout?: number },
) => Promise<LocalRun>;

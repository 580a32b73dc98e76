import { Socket } from "node:net";
import type { AnyAuthMethod, AuthHandlerMiddleware, Client, ConnectConfig } from "ssh2";
import { messageOf, SummitError } from "../../core/errors.ts";
import type { ShellTarget } from "../../core/ports/shell.ts";
import { hostKeyAlgorithms, hostKeyMismatch, keyLine, type PinnedKey } from "./host-key.ts";
import type { OfferedKeys } from "./offered-keys.ts";
import type { SshTiming } from "./ssh-timing.ts";
import { ssh2 } from "./ssh2-module.ts";

export interface Authenticated {
  readonly client: Client;
  readonly socket: Socket;
  /** The key that was proved, as `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** Whether a machine that is still starting may explain a failure. */
export type Again = "soon" | "slowly" | "never";

/** One try to connect: a connection, or why not. */
export type Attempt = { readonly connected: Authenticated } | { readonly failure: SummitError; readonly again: Again };

export interface HandshakeRequest {
  readonly target: ShellTarget;
  readonly pins: readonly PinnedKey[];
  readonly keys: OfferedKeys;
  readonly timing: SshTiming;
  /** Seconds for this try. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** How far a try came; it decides what a failure means. */
type Phase = "reaching" | "key exchange" | "authentication";

const STARTING = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ETIMEDOUT",
  "EPIPE",
  "EAI_AGAIN",
]);

/** Never rejects. Nothing but the protocol's own greeting is sent before the host key was compared with the pins. */
export function shakeHands(request: HandshakeRequest): Promise<Attempt> {
  const { target, pins, keys, timing } = request;
  const { host, port } = target.endpoint;
  const socket = new Socket();
  const client = new (ssh2().Client)();
  let phase: Phase = "reaching";
  let proved: Buffer | undefined;
  let mismatch: SummitError | undefined;
  let socketOver = false;

  const config: ConnectConfig = {
    sock: socket,
    username: target.user,
    readyTimeout: 0,
    keepaliveInterval: timing.keepAliveInterval * 1000,
    keepaliveCountMax: timing.keepAliveMissed,
    algorithms: { serverHostKey: hostKeyAlgorithms(pins) },
    hostVerifier: (key: Buffer) => {
      if (pins.some((pin) => pin.blob.equals(key))) {
        proved = key;
        return true;
      }
      mismatch = hostKeyMismatch(target, pins, key);
      return false;
    },
    authHandler: inTurn(keys.methods(target.user)),
  };

  return new Promise((resolve) => {
    const finish = (attempt: Attempt): void => {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", onAbort);
      client.removeAllListeners();
      socket.removeListener("error", onSocketError);
      // Late errors of an abandoned try are nobody's business.
      client.on("error", () => {});
      if ("failure" in attempt) socket.destroy();
      resolve(attempt);
    };
    const failure = (again: Again, what: string, details: readonly string[] = []): Attempt => ({
      again,
      failure: new SummitError("remote", `${target.name} at ${host} port ${port} ${what}`, {
        hint: "summitctl status",
        details,
      }),
    });
    const onSocketError = (error: NodeJS.ErrnoException): void => {
      socketOver = true;
      const again = phase !== "reaching" || STARTING.has(error.code ?? "") ? "soon" : "never";
      finish(failure(again, `cannot be reached: ${error.code ?? "connection failed"}`, [messageOf(error)]));
    };
    const onAbort = (): void =>
      finish({
        again: "never",
        failure: new SummitError("interrupted", `connecting to ${target.name} was interrupted`),
      });
    const onTimeout = (): void => finish(failure("soon", `did not answer within ${request.timeout} s (${phase})`));
    const closed = (): Attempt =>
      phase === "authentication"
        ? failure("slowly", `closed the connection during authentication as ${target.user}`, keys.words)
        : failure("soon", `closed the connection during the ${phase}`);
    const clientFailure = (error: Error): Attempt => {
      if (mismatch !== undefined) return { again: "never", failure: mismatch };
      if (phase === "authentication") return { again: "slowly", failure: refusedLogin(target, keys, error) };
      if (socketOver) return closed();
      const pinned = hostKeyAlgorithms(pins).join(", ");
      return failure("never", `failed the ssh ${phase}`, [error.message, `pinned host keys allow only ${pinned}`]);
    };
    const timer = setTimeout(onTimeout, request.timeout * 1000);

    socket.once("end", () => {
      socketOver = true;
    });
    socket.on("error", onSocketError);
    client.on("connect", () => {
      phase = "key exchange";
    });
    client.on("handshake", () => {
      phase = "authentication";
    });
    client.on("error", (error: Error & { level?: string }) => {
      // An agent that fails to sign is passed over; the next key is tried.
      if (error.level !== "agent") finish(clientFailure(error));
    });
    client.on("close", () => finish(closed()));
    client.on("ready", () => {
      // The verifier ran before any authentication; without its word there is no connection.
      if (proved === undefined) finish(failure("never", "was let through without a host key"));
      else finish({ connected: { client, socket, hostKey: keyLine(proved) } });
    });
    request.signal.addEventListener("abort", onAbort, { once: true });
    if (request.signal.aborted) return onAbort();
    socket.setNoDelay(true);
    client.connect(config);
    socket.connect({ host, port });
  });
}

const refusedLogin = (target: ShellTarget, keys: OfferedKeys, error: Error): SummitError =>
  new SummitError("remote", `${target.name} refused the login of ${target.user}: no offered ssh key is let in`, {
    hint: "ssh-add -l",
    details: [error.message, ...keys.words],
  });

/** Public keys only: neither passwords nor questions of the machine are ever answered. */
function inTurn(methods: AnyAuthMethod[]): AuthHandlerMiddleware {
  const rest = [...methods];
  return (_left, _partial, next) => next(rest.shift() ?? (false as never));
}

import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Client, ClientCallback, ClientChannel } from "ssh2";
import { SummitError } from "../../core/errors.ts";
import type { Authenticated } from "./handshake.ts";
import { SessionSlots } from "./session-slots.ts";

/** Of the 10 that sshd allows by default, less what is needed to end processes. */
const SESSIONS = 8;
const REFUSED_TRIES = 40;
const REFUSED_PAUSE_MS = 50;

/** An authenticated connection and what is known of its end. */
export class SshLink {
  readonly name: string;
  readonly client: Client;
  readonly hostKey: string;
  /** Aborts with the `remote` error when the connection is gone, for whichever reason. */
  readonly lost: AbortSignal;
  readonly #socket: Socket;
  readonly #slots = new SessionSlots(SESSIONS);
  readonly #closed: Promise<void>;

  constructor(name: string, { client, socket, hostKey }: Authenticated) {
    this.name = name;
    this.client = client;
    this.hostKey = hostKey;
    this.#socket = socket;
    const lost = new AbortController();
    this.lost = lost.signal;
    // Every process and every waiting session listens.
    setMaxListeners(0, this.lost);
    const lose = (details: readonly string[]): void => {
      if (!lost.signal.aborted) lost.abort(new SummitError("remote", `the link to ${name} was lost`, { details }));
      // ssh2 only half-closes after some errors; a stalled peer would then keep the socket for ever.
      socket.destroy();
    };
    client.removeAllListeners("error");
    client.on("error", (error: Error & { level?: string }) => {
      if (error.level !== "agent") lose([error.message]);
    });
    client.on("close", () => lose([]));
    if (socket.destroyed) lose([]);
    this.#closed = new Promise((resolve) => void socket.once("close", () => resolve()));
  }

  /**
   * Starts `line` in a session of its own, waiting for a free one when as many as sshd allows are running. `before`
   * may throw at the last moment. `use` gets the channel at once: what it does not listen to then may be missed.
   */
  async exec<T>(line: string, { before, use }: { before: () => void; use: (channel: ClientChannel) => T }): Promise<T> {
    const giveBack = await this.#slots.take();
    const onClose = (): void => {
      this.lost.removeEventListener("abort", onClose);
      giveBack();
    };
    try {
      before();
      return await this.execNow(line, (channel) => {
        channel.once("close", onClose);
        this.lost.addEventListener("abort", onClose, { once: true });
        return use(channel);
      });
    } catch (error) {
      onClose();
      throw error;
    }
  }

  /** As `exec`, from the reserve that is kept for ending processes. */
  execNow<T>(line: string, use: (channel: ClientChannel) => T): Promise<T> {
    return this.session((done) => this.client.exec(line, done), use);
  }

  /**
   * Opens a session by one of ssh2's calls. Rejects with kind `remote`. A refused session is tried again for a while:
   * nothing ran in it, and sshd counts one that has just ended until it has reaped its processes.
   */
  async session<T>(open: (done: ClientCallback) => unknown, use: (channel: ClientChannel) => T): Promise<T> {
    for (let left = REFUSED_TRIES; ; left -= 1) {
      const opened = await this.#openSession(open, use);
      if ("used" in opened) return opened.used;
      if (left === 0) {
        throw new SummitError("remote", `${this.name} refused to open another ssh session`, {
          hint: "grep -i MaxSessions /etc/ssh/sshd_config   # on the machine; 10 is sshd's default and enough",
          details: [opened.refused.message],
        });
      }
      await delay(REFUSED_PAUSE_MS);
    }
  }

  #openSession<T>(
    open: (done: ClientCallback) => unknown,
    use: (channel: ClientChannel) => T,
  ): Promise<{ used: T } | { refused: Error }> {
    return new Promise((resolve, reject) => {
      const onLost = (): void => reject(this.lost.reason);
      if (this.lost.aborted) return onLost();
      this.lost.addEventListener("abort", onLost, { once: true });
      try {
        open((error, channel) => {
          this.lost.removeEventListener("abort", onLost);
          if (error === undefined) resolve({ used: use(channel) });
          else if (this.lost.aborted) onLost();
          else resolve({ refused: error });
        });
      } catch (cause) {
        // ssh2 throws on a socket that is half closed; its close event is on the way.
        reject(new SummitError("remote", `the link to ${this.name} was lost`, { cause }));
      }
      return undefined;
    });
  }

  /** Says goodbye and closes. Resolves in bounded time. */
  async close(): Promise<void> {
    this.client.end();
    const timer = setTimeout(() => this.#socket.destroy(), 1000);
    if (!this.#socket.closed) await this.#closed;
    clearTimeout(timer);
  }
}

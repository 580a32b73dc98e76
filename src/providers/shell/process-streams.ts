import { Readable, Writable } from "node:stream";
import { GroupMarker } from "./group-marker.ts";

const BUFFER = 256 * 1024;

/** Why standard input ended early: the process is over. `code` is EPIPE, as for a local pipe. */
export class ProcessOver extends Error {
  readonly code = "EPIPE";

  constructor() {
    super("the process ended before it had read all of its standard input");
  }
}

/** The ends of a transport: an SSH channel or a child process. */
export interface RawStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/**
 * The streams of a process as the port promises them, on top of what a transport has: back-pressure both ways; an
 * output ends only by `finish`, so that a lost link never looks like the end of the data; no stream can crash the
 * program by an error nobody listens for, since the exit tells all of them.
 */
export class ProcessStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the caller destroyed a stream before its end. */
  readonly discarded: Promise<void>;
  /** Resolves when the transport has handed over all output. */
  readonly drained: Promise<unknown>;
  readonly marker: GroupMarker;
  #over = false;

  constructor(raw: RawStreams, token: string) {
    this.marker = new GroupMarker(token);
    let discard: () => void = () => {};
    this.discarded = new Promise((resolve) => {
      discard = resolve;
    });
    const onDestroy = (): void => {
      if (!this.#over) discard();
    };
    this.stdin = inlet(raw.stdin, onDestroy);
    this.stdout = outlet(raw.stdout, (chunk) => chunk, onDestroy);
    this.stderr = outlet(raw.stderr, (chunk) => this.marker.take(chunk), onDestroy);
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.on("error", () => {});
    this.drained = Promise.all([untilOver(raw.stdout), untilOver(raw.stderr)]);
  }

  /** The process is over and all its output was handed over. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.stderr.destroyed) {
      const rest = this.marker.rest();
      if (rest.length > 0) this.stderr.push(rest);
    }
    for (const out of [this.stdout, this.stderr]) if (!out.destroyed) out.push(null);
    if (!this.stdin.writableFinished) this.stdin.destroy(new ProcessOver());
  }

  /** Nothing more will come: readers and writers get `error`. */
  fail(error: Error): void {
    this.#over = true;
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy(error);
  }
}

function inlet(raw: Writable, onDestroy: () => void): Writable {
  raw.on("error", () => {});
  return new Writable({
    highWaterMark: BUFFER,
    // A process may close its input and live on; the writer then waits until it ends, over SSH as over a pipe.
    write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, (error) => error || done()),
    final: (done) => {
      raw.end();
      done();
    },
    // The raw end stays open: closing it would tell the process that its input is complete.
    destroy(error, done) {
      if (!this.writableFinished) onDestroy();
      done(error);
    },
  });
}

function outlet(raw: Readable, filter: (chunk: Buffer) => Buffer, onDestroy: () => void): Readable {
  const out = new Readable({
    highWaterMark: BUFFER,
    read: () => void raw.resume(),
    destroy(error, done) {
      if (!this.readableEnded) onDestroy();
      // What is left is thrown away, so that the transport sees its end.
      raw.resume();
      done(error);
    },
  });
  raw.on("data", (chunk: Buffer) => {
    if (out.destroyed) return;
    const rest = filter(chunk);
    if (rest.length > 0 && !out.push(rest)) raw.pause();
  });
  return out;
}

const untilOver = (raw: Readable): Promise<void> =>
  new Promise((resolve) => {
    raw.once("end", resolve).once("close", resolve);
  });

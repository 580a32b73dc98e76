import { SummitError } from "../core/errors.ts";

export interface DumpOrigin {
  /** Of the server, `9.1.24`; undefined: the dump does not say. */
  readonly serverVersion: string | undefined;
  /** Of the pg_dump. */
  readonly clientVersion: string | undefined;
  /** `UTF8` */
  readonly encoding: string | undefined;
}

/** Looks at a dump while it flows by, and says at its end what is known of it. Throws what is wrong with it. */
export interface DumpWatch {
  add(chunk: Buffer): void;
  end(): DumpOrigin;
}

const HEAD = 64 * 1024;
const TAIL = 2048;
const TRAILER = /^-- PostgreSQL database dump complete\r?\n(?<rest>[\s\S]*)$/m;
const AFTER_TRAILER = /^(--|\\unrestrict [A-Za-z0-9]+)?\r?$/;

/**
 * What psql does on such a line reaches beyond the database that is restored: another database, the machine's files or
 * programs. No line of a COPY begins like that: there a backslash stands before `N`, `.`, `\`, `b f n r t v` or a digit.
 */
const COMMAND =
  /\n\\(c|connect|!|i|ir|include|include_relative|copy|o|out|w|write|g|gexec|gset|gx|e|edit|ef|ev|s|cd|set|setenv|password|prompt|q|quit|lo_\w+|watch|if|elif|else|endif)[\s|;(]/;
const LONGEST_COMMAND = 24;

/** SQL text of pg_dump: whole when its last words are there. */
export class TextWatch implements DumpWatch {
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.from("\n");

  add(chunk: Buffer): void {
    if (this.#head.length < HEAD) this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD - this.#head.length)]);
    const seen = Buffer.concat([this.#tail.subarray(-LONGEST_COMMAND), chunk]);
    for (let at = seen.indexOf("\n\\"); at !== -1; at = seen.indexOf("\n\\", at + 1)) {
      const command = COMMAND.exec(seen.toString("latin1", at, at + LONGEST_COMMAND))?.[1];
      if (command !== undefined) throw reachesOut(command);
    }
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-TAIL)]).subarray(-TAIL);
  }

  end(): DumpOrigin {
    const rest = TRAILER.exec(this.#tail.toString("utf8"))?.groups?.["rest"];
    if (rest === undefined || !rest.split("\n").every((line) => AFTER_TRAILER.test(line))) {
      throw new SummitError("verification", `the dump has no end: its last line is not "${END}"`, {
        details: ["it was cut, or what dumped it stopped half-way; a restore of it would end well and miss rows"],
        hint: "take another one",
      });
    }
    const head = this.#head.toString("utf8");
    return {
      serverVersion: /^-- Dumped from database version (\S+)/m.exec(head)?.[1],
      clientVersion: /^-- Dumped by pg_dump version (\S+)/m.exec(head)?.[1],
      encoding: encodingIn(head),
    };
  }
}

const END = "-- PostgreSQL database dump complete";

/** Of a statement as pg_dump writes it. */
export const encodingIn = (text: string): string | undefined =>
  /^SET client_encoding = '([A-Za-z0-9_]+)';/m.exec(text)?.[1];

const reachesOut = (command: string): SummitError =>
  new SummitError("check", `the dump holds a line that psql would take for its command \\${command}`, {
    details: ["a restore could leave its own database; pg_dump --create writes \\connect, for one"],
    hint: "pg_dump -Fc DATABASE > FILE    # and import that",
  });

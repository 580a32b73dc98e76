import { SummitError } from "../core/errors.ts";
import { type DumpOrigin, type DumpWatch, encodingIn } from "./import-text.ts";

const CUSTOM_FORMAT = 1;
const DATA = 1;
const BLOBS = 3;
/** Longer ones are passed over; what is looked for is short. */
const LONGEST_TEXT = 65_536;
/** 1.7 is of PostgreSQL 7.3; what is after 1.16, of 18, may be built in another way. */
const VERSIONS = { from: 7, to: 16 };

/** Waits for more bytes. */
type Reading<T> = Generator<undefined, T, undefined>;

/**
 * A custom-format archive of pg_dump, read from its first byte to its last as pg_restore would: the table of contents,
 * then the data of each table in it, block by block. It is whole when each of them came and nothing is left. What is in
 * a block, such as a row or its compression, is not looked into.
 */
export class ArchiveWatch implements DumpWatch {
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #ended = false;
  #intSize = 4;
  #offsetSize = 8;
  /** The minor of the archive's version; its major is 1. */
  #version = 0;
  readonly #reading: Reading<DumpOrigin> = this.#archive();

  add(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#reading.next();
  }

  end(): DumpOrigin {
    this.#ended = true;
    this.#chunk = Buffer.alloc(0);
    this.#at = 0;
    const { value, done } = this.#reading.next();
    if (done !== true || value === undefined) throw cut();
    return value;
  }

  *#archive(): Reading<DumpOrigin> {
    const { serverVersion, clientVersion } = yield* this.#header();
    const { withData, encoding } = yield* this.#contents();
    while (yield* this.#hasMore()) {
      const type = yield* this.#byte();
      const id = yield* this.#int();
      if (!withData.delete(id)) throw damaged(`data of something that its table of contents does not have (${id})`);
      if (type === DATA) yield* this.#pieces();
      else if (type === BLOBS) while ((yield* this.#int()) !== 0) yield* this.#pieces();
      else throw damaged(`a block of type ${type}`);
    }
    if (withData.size > 0) throw cut(`the data of ${withData.size} tables is missing`);
    return { serverVersion, clientVersion, encoding };
  }

  *#header(): Reading<Omit<DumpOrigin, "encoding">> {
    yield* this.#skip("PGDMP".length);
    const [major, minor, patch] = [yield* this.#byte(), yield* this.#byte(), yield* this.#byte()];
    if (major !== 1 || minor < VERSIONS.from || minor > VERSIONS.to) {
      throw new SummitError("check", `the archive has version ${major}.${minor}.${patch}, which is not known here`, {
        hint: "pg_restore -f DUMP.sql FILE    # and import that",
      });
    }
    this.#version = minor;
    this.#intSize = yield* this.#byte();
    this.#offsetSize = yield* this.#byte();
    if (this.#intSize > 8 || this.#offsetSize > 8) throw damaged("numbers of an impossible size");
    const format = yield* this.#byte();
    if (format !== CUSTOM_FORMAT) {
      throw new SummitError("check", "the file is a part of an archive of another format, expected the custom format", {
        hint: "pg_dump -Fc DATABASE > FILE    # and import that",
      });
    }
    // Compression: its level, or since 1.15 its kind.
    if (minor >= 15) yield* this.#byte();
    else yield* this.#int();
    for (let field = 0; field < 7; field += 1) yield* this.#int();
    yield* this.#text();
    if (minor < 10) return { serverVersion: undefined, clientVersion: undefined };
    const [serverVersion] = ((yield* this.#text()) ?? "").split(" ");
    const [clientVersion] = ((yield* this.#text()) ?? "").split(" ");
    return { serverVersion: serverVersion || undefined, clientVersion: clientVersion || undefined };
  }

  /** Ids of what has data, and the encoding. */
  *#contents(): Reading<{ withData: Set<number>; encoding: string | undefined }> {
    const withData = new Set<number>();
    let encoding: string | undefined;
    const count = yield* this.#int();
    const since = (minor: number, fields: number): number => (this.#version >= minor ? fields : 0);
    for (let entry = 0; entry < count; entry += 1) {
      const id = yield* this.#int();
      if ((yield* this.#int()) !== 0) withData.add(id);
      // Object ids of its catalog and itself, and its name.
      yield* this.#texts(since(8, 1) + 2);
      const kind = yield* this.#text();
      if (this.#version >= 11) yield* this.#int();
      const definition = yield* this.#text();
      if (kind === "ENCODING") encoding = encodingIn(definition ?? "");
      // How to drop and to copy it; schema, tablespace, access method.
      yield* this.#texts(3 + since(10, 1) + since(14, 1));
      if (this.#version >= 16) yield* this.#int();
      // Owner, and whether it has oids.
      yield* this.#texts(1 + since(9, 1));
      while ((yield* this.#text()) !== undefined);
      yield* this.#skip(1 + this.#offsetSize);
    }
    return { withData, encoding };
  }

  /** Data in pieces, up to an empty one. */
  *#pieces(): Reading<void> {
    for (let size = yield* this.#int(); size !== 0; size = yield* this.#int()) {
      if (size < 0) throw damaged("a piece of less than no bytes");
      yield* this.#skip(size);
    }
  }

  *#texts(count: number): Reading<void> {
    for (let text = 0; text < count; text += 1) yield* this.#text();
  }

  /** Undefined: there is none. Of a very long one only the beginning. */
  *#text(): Reading<string | undefined> {
    const size = yield* this.#int();
    if (size < 0) return undefined;
    const taken: Buffer[] = [];
    for (let rest = Math.min(size, LONGEST_TEXT); rest > 0; ) {
      yield* this.#wait();
      const piece = this.#chunk.subarray(this.#at, this.#at + rest);
      taken.push(piece);
      this.#at += piece.length;
      rest -= piece.length;
    }
    yield* this.#skip(Math.max(0, size - LONGEST_TEXT));
    return Buffer.concat(taken).toString("utf8");
  }

  /** A sign, then the least byte first. */
  *#int(): Reading<number> {
    const sign = (yield* this.#byte()) === 0 ? 1 : -1;
    let value = 0;
    for (let byte = 0; byte < this.#intSize; byte += 1) value += (yield* this.#byte()) * 256 ** byte;
    return sign * value;
  }

  *#byte(): Reading<number> {
    if (this.#at >= this.#chunk.length) yield* this.#wait();
    const value = this.#chunk[this.#at] as number;
    this.#at += 1;
    return value;
  }

  *#skip(bytes: number): Reading<void> {
    for (let rest = bytes; rest > 0; ) {
      yield* this.#wait();
      const step = Math.min(rest, this.#chunk.length - this.#at);
      this.#at += step;
      rest -= step;
    }
  }

  *#wait(): Reading<void> {
    if (!(yield* this.#hasMore())) throw cut();
  }

  *#hasMore(): Reading<boolean> {
    while (this.#at >= this.#chunk.length) {
      if (this.#ended) return false;
      yield;
    }
    return true;
  }
}

const cut = (what = "it ends in the middle"): SummitError =>
  new SummitError("verification", `the dump is cut: ${what}`, { hint: "take another one" });

const damaged = (what: string): SummitError =>
  new SummitError("verification", `the dump is damaged: it holds ${what}`, { hint: "take another one" });

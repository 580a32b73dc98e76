import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isSummitError } from "../../src/core/errors.ts";
import type { Shell } from "../../src/core/ports/shell.ts";

export interface ShellUnderTest {
  /** A shell on this computer: the suite looks at files and processes from outside. */
  connect(signal?: AbortSignal): Promise<Shell>;
  /** A user that `as` can name, other than the one who runs commands by default; undefined where there is none. */
  readonly otherUser: string | undefined;
  cleanup(): Promise<void>;
}

const MIB = 1024 * 1024;

/** What every Shell promises. */
export function describeShell(name: string, setup: () => Promise<ShellUnderTest>): void {
  describe(`shell contract: ${name}`, () => {
    let under: ShellUnderTest;
    let shell: Shell;
    let folder: string;

    beforeAll(async () => {
      under = await setup();
      shell = await under.connect();
      folder = await mkdtemp(join(tmpdir(), "summit-shell-"));
    }, 30_000);
    afterAll(async () => {
      await shell?.[Symbol.asyncDispose]();
      await under?.cleanup();
      await rm(folder, { recursive: true, force: true });
    }, 30_000);

    test("run tells exit status and both outputs apart", async () => {
      const result = await shell.run(["sh", "-c", "echo out; echo err >&2; exit 7"]);
      expect(result).toEqual({ code: 7, signal: undefined, stdout: "out\n", stderr: "err\n" });
    });

    test("arguments arrive as they are", async () => {
      const words = ["", "a b", "it's", '"$HOME"', "`id`", "new\nline", "*", "\\", "-n", "é☃", "a=b", "~"];
      const { stdout } = await shell.run(["printf", "%s\\0", ...words]);
      expect(stdout.split("\0").slice(0, -1)).toEqual(words);
    });

    test("a program with an equals sign in its name is a program, not an assignment", async () => {
      expect((await shell.run(["a=b", "true"])).code).toBe(127);
    });

    test("a command that does not exist has status 127", async () => {
      const result = await shell.run(["summit-no-such-program"]);
      expect(result.code).toBe(127);
      expect(result.stderr).toContain("summit-no-such-program");
    });

    test("commands run in the root folder", async () => {
      expect(await shell.must(["pwd"])).toBe("/\n");
    });

    test("stderr is byte-exact", async () => {
      const process = await shell.open(["sh", "-c", "printf 'a\\000\\377\\n\\n12345 67\\n' >&2"]);
      process.stdout.resume();
      process.stdin.end();
      expect(await bytes(process.stderr)).toEqual(Buffer.from("a\0\xff\n\n12345 67\n", "latin1"));
      expect(await process.exit).toEqual({ code: 0, signal: undefined });
    });

    test.each(["TERM", "KILL", "SEGV"])("death by SIG%s is told as that signal", async (signal) => {
      const result = await shell.run(["sh", "-c", `kill -${signal} $$`]);
      expect({ code: result.code, signal: result.signal }).toEqual({ code: undefined, signal: `SIG${signal}` });
    });

    test("input is closed at once when there is none", async () => {
      expect(await shell.must(["cat"])).toBe("");
    });

    test("input arrives byte-exact from text, bytes and streams", async () => {
      expect(await shell.must(["cat"], { input: "é\n" })).toBe("é\n");
      const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      expect(await shell.must(["sha256sum"], { input: every })).toBe(`${sha256(every)}  -\n`);
      expect(await shell.must(["sha256sum"], { input: Readable.from([every, every]) })).toBe(
        `${sha256(Buffer.concat([every, every]))}  -\n`,
      );
    });

    test("a process that does not read its input is no failure", async () => {
      const result = await shell.run(["sh", "-c", "exit 3"], { input: zeros(20 * MIB) });
      expect(result.code).toBe(3);
    });

    test("a process that closes its input and lives on is not ended", async () => {
      const result = await shell.run(["sh", "-c", "exec <&-; sleep 0.4; exit 4"], { input: zeros(20 * MIB) });
      expect(result.code).toBe(4);
    });

    test("writing to a process that has ended crashes nothing", async () => {
      const process = await shell.open(["true"]);
      process.stdout.resume();
      process.stderr.resume();
      await expect(pipeline(zeros(20 * MIB), process.stdin)).rejects.toThrow();
      expect(await process.exit).toEqual({ code: 0, signal: undefined });
    });

    test("an input that fails ends the process before it could take the input for complete", async () => {
      const proof = join(folder, "took-it");
      const input = Readable.from(
        (async function* () {
          yield "half";
          await new Promise((resolve) => setTimeout(resolve, 200));
          throw new Error("disk is gone");
        })(),
      );
      const failed = await rejection(shell.run(["sh", "-c", `cat >/dev/null; echo complete > ${proof}`], { input }));
      expect(failed).toMatchObject({ kind: "remote", details: ["disk is gone"] });
      expect(await exists(proof)).toBe(false);
    });

    test("a reader that gives up ends the process", async () => {
      const process = await shell.open(["sh", "-c", "yes; echo went on"]);
      process.stderr.resume();
      process.stdin.end();
      const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error("disk is full")) });
      await expect(pipeline(process.stdout, broken)).rejects.toThrow("disk is full");
      expect((await process.exit).code).not.toBe(0);
    });

    test("must returns stdout, or names program and status and shows the end of stderr", async () => {
      expect(await shell.must(["echo", "x"])).toBe("x\n");
      const failed = await rejection(shell.must(["sh", "-c", "echo first >&2; echo last >&2; exit 9", "secret-word"]));
      expect(failed).toMatchObject({ kind: "remote", details: ["first", "last"] });
      expect(String(failed)).toContain("sh on ");
      expect(String(failed)).toContain("exit status 9");
      expect(String(failed)).not.toContain("secret-word");
    });

    test("more than 16 MiB of output is an error, 16 MiB is not", async () => {
      expect((await shell.must(["head", "-c", String(16 * MIB), "/dev/zero"])).length).toBe(16 * MIB);
      const failed = await rejection(shell.run(["sh", "-c", "exec cat /dev/zero"]));
      expect(failed).toMatchObject({ kind: "remote" });
      expect(String(failed)).toContain("16 MiB");
    });

    test("stderr keeps its end", async () => {
      const { stderr } = await shell.run(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; echo the-end >&2"]);
      expect(stderr.length).toBe(64 * 1024);
      expect(stderr.endsWith("xthe-end\n")).toBe(true);
    });

    test("a timeout ends the whole process group", async () => {
      const mark = uniqueSleep();
      const failed = await rejection(shell.run(["sh", "-c", `sleep ${mark} & sleep ${mark}`], { timeout: 0.5 }));
      expect(failed).toMatchObject({ kind: "remote" });
      expect(String(failed)).toContain("0.5 s");
      expect(await running(mark)).toEqual([]);
    });

    test("an abort ends the whole process group", async () => {
      const mark = uniqueSleep();
      const abort = new AbortController();
      const process = await shell.open(["sh", "-c", `sleep ${mark} & echo started; sleep ${mark}`], {
        signal: abort.signal,
      });
      await once(process.stdout, "data");
      expect((await running(mark)).length).toBeGreaterThanOrEqual(2);
      abort.abort();
      expect(await rejection(process.exit)).toMatchObject({ kind: "interrupted" });
      expect(await running(mark)).toEqual([]);
    });

    test("an abort lets a process clean up after TERM", async () => {
      const proof = join(folder, "cleaned");
      const abort = new AbortController();
      const script = `trap 'echo done > ${proof}; exit 1' TERM; echo started; while :; do sleep 0.05; done`;
      const process = await shell.open(["sh", "-c", script], { signal: abort.signal });
      await once(process.stdout, "data");
      abort.abort();
      await rejection(process.exit);
      expect(await exists(proof)).toBe(true);
    });

    test("an abort kills what ignores TERM", async () => {
      const mark = uniqueSleep();
      const abort = new AbortController();
      const process = await shell.open(["sh", "-c", `trap '' TERM; echo started; sleep ${mark}`], {
        signal: abort.signal,
      });
      await once(process.stdout, "data");
      abort.abort();
      expect(await rejection(process.exit)).toMatchObject({ kind: "interrupted" });
      expect(await running(mark)).toEqual([]);
    }, 15_000);

    test("an aborted signal starts nothing", async () => {
      const proof = join(folder, "started");
      const failed = await rejection(shell.run(["touch", proof], { signal: AbortSignal.abort() }));
      expect(failed).toMatchObject({ kind: "interrupted" });
      expect(await exists(proof)).toBe(false);
    });

    test("an output that was cut off by an abort does not look complete", async () => {
      const abort = new AbortController();
      const process = await shell.open(["sh", "-c", "echo part; sleep 1000"], { signal: abort.signal });
      process.stderr.resume();
      let ended = false;
      process.stdout.on("end", () => {
        ended = true;
      });
      await once(process.stdout, "data");
      abort.abort();
      await rejection(process.exit);
      expect(ended).toBe(false);
    });

    test("the shell's own signal ends its processes", async () => {
      const abort = new AbortController();
      const mark = uniqueSleep();
      await using own = await under.connect(abort.signal);
      const failed = rejection(own.run(["sleep", mark]));
      await until(async () => (await running(mark)).length > 0);
      abort.abort();
      expect(await failed).toMatchObject({ kind: "interrupted" });
      expect(await running(mark)).toEqual([]);
    });

    test("dispose ends what still runs and refuses new commands", async () => {
      const mark = uniqueSleep();
      const own = await under.connect();
      const failed = rejection(own.run(["sleep", mark]));
      await until(async () => (await running(mark)).length > 0);
      await own[Symbol.asyncDispose]();
      expect(await failed).toMatchObject({ kind: "interrupted" });
      expect(await running(mark)).toEqual([]);
      expect(isSummitError(await rejection(own.run(["true"])))).toBe(true);
    });

    test("many commands at once", async () => {
      const numbers = Array.from({ length: 30 }, (_, index) => String(index));
      const answers = await Promise.all(
        numbers.map((number) => shell.must(["sh", "-c", "sleep 0.05; echo $0", number])),
      );
      expect(answers).toEqual(numbers.map((number) => `${number}\n`));
    }, 20_000);

    test("as runs as another user with that user's home", async ({ skip }) => {
      const { otherUser } = under;
      if (otherUser === undefined) return skip("no other user here");
      const out = await shell.must(["sh", "-c", 'id -un; echo "$HOME"; id -Gn; exit 0'], { as: otherUser });
      const home = (await readFile("/etc/passwd", "utf8")).split("\n").find((line) => line.startsWith(`${otherUser}:`));
      expect(out.split("\n").slice(0, 2)).toEqual([otherUser, home?.split(":")[5]]);
      return undefined;
    });

    test("a slow reader stops the process from writing", async () => {
      const progress = join(folder, "progress");
      await writeFile(progress, "");
      const script = `i=0; while [ $i -lt 64 ]; do head -c ${MIB} /dev/zero; i=$((i+1)); echo $i > ${progress}; done`;
      const process = await shell.open(["sh", "-c", script]);
      process.stderr.resume();
      process.stdin.end();
      const written = await stable(async () => Number((await readFile(progress, "utf8")).trim() || "0"));
      expect(written).toBeLessThan(16);
      process.stdout.resume();
      expect(await process.exit).toEqual({ code: 0, signal: undefined });
    }, 20_000);

    test("a slow process stops the source from being read", async () => {
      let taken = 0;
      const go = join(folder, "go");
      const source = new Readable({
        read() {
          taken += 1;
          this.push(taken > 256 ? null : Buffer.alloc(MIB / 4));
        },
      });
      const process = await shell.open(["sh", "-c", `while [ ! -e ${go} ]; do sleep 0.05; done; wc -c`]);
      process.stderr.resume();
      const sent = pipeline(source, process.stdin);
      const out = bytes(process.stdout);
      expect((await stable(async () => taken)) / 4).toBeLessThan(16);
      await writeFile(go, "");
      await sent;
      expect((await out).toString().trim()).toBe(String(64 * MIB));
      expect(await process.exit).toEqual({ code: 0, signal: undefined });
    }, 20_000);

    test("300 MB both ways arrive whole and are never held", async () => {
      const total = 300 * MIB;
      const hash = createHash("sha256");
      const back = createHash("sha256");
      let peak = 0;
      let received = 0;
      const process = await shell.open(["cat"]);
      process.stderr.resume();
      const before = memory();
      const drain = new Writable({
        write(chunk: Buffer, _encoding, done) {
          back.update(chunk);
          received += chunk.length;
          peak = Math.max(peak, memory() - before);
          done();
        },
      });
      await Promise.all([pipeline(patterned(total, hash), process.stdin), pipeline(process.stdout, drain)]);
      expect(await process.exit).toEqual({ code: 0, signal: undefined });
      expect(received).toBe(total);
      expect(back.digest("hex")).toBe(hash.digest("hex"));
      expect(peak / MIB).toBeLessThan(100);
    }, 60_000);
  });
}

/** Buffers outside the heap are what a stream that does not stop would pile up. */
const memory = (): number => process.memoryUsage().arrayBuffers;

function* zeroChunks(total: number): Generator<Buffer> {
  for (let left = total; left > 0; left -= 64 * 1024) yield Buffer.alloc(Math.min(left, 64 * 1024));
}
const zeros = (total: number): Readable => Readable.from(zeroChunks(total), { objectMode: false });

function patterned(total: number, hash: ReturnType<typeof createHash>): Readable {
  let sent = 0;
  return new Readable({
    read() {
      if (sent >= total) return void this.push(null);
      const chunk = Buffer.alloc(64 * 1024, `${sent} `);
      sent += chunk.length;
      hash.update(chunk);
      this.push(chunk);
    },
  });
}

async function bytes(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

/** The value once it has not changed for 400 ms. */
async function stable(read: () => Promise<number>): Promise<number> {
  for (let value = await read(), same = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const next = await read();
    same = next === value ? same + 1 : 0;
    value = next;
    if (same >= 4) return value;
  }
}

const once = (stream: Readable, event: string): Promise<unknown> =>
  new Promise((resolve) => {
    stream.once(event, resolve);
  });

/** A `sleep` argument that no other process has. */
const uniqueSleep = (): string => `1000.${Math.floor(Math.random() * 1e12)}`;

/** Processes whose command line is exactly such a sleep. */
export async function running(mark: string): Promise<readonly string[]> {
  const { execFile } = await import("node:child_process");
  const out = await new Promise<string>((resolve) =>
    execFile("ps", ["-e", "-o", "stat=,args="], (_e, text) => resolve(text)),
  );
  return out
    .split("\n")
    .filter((line) => line.trim().endsWith(`sleep ${mark}`) && !line.startsWith("Z") && !/sudo|sh -c/.test(line));
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the condition did not become true within 5 s");
}

/** What a promise was rejected with; fails when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}

const exists = (file: string): Promise<boolean> =>
  readFile(file).then(
    () => true,
    () => false,
  );

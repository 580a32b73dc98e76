import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { takePidLock } from "../../src/core/pid-lock.ts";

describe("takePidLock", () => {
  let folder: string;
  let file: string;
  const take = (what = "backup", wait = 0) => takePidLock(file, { what, wait });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-lock-"));
    file = join(folder, "locks", "production.lock");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A lock as another process would have left it. */
  async function leave(changes: object): Promise<void> {
    await using _first = await take();
    const own = JSON.parse(await readFile(file, "utf8")) as object;
    await rm(file);
    await writeFile(join(folder, "left"), JSON.stringify({ ...own, ...changes }));
  }
  const putBack = async () => writeFile(file, await readFile(join(folder, "left")));

  test("is held until it is disposed of, and says who holds it", async () => {
    const lock = await take('bootstrap of "production"');
    await expect(take()).rejects.toMatchObject({
      kind: "locked",
      message: expect.stringMatching(/^bootstrap of "production" is running on .* as process \d+$/),
      hint: `wait for it, or end it with: kill ${process.pid}`,
    });
    await lock[Symbol.asyncDispose]();
    await using _again = await take();
    expect(await readdir(join(folder, "locks"))).toEqual(["production.lock"]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("a killed holder's lock is taken over", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    await leave({ pid: child.pid, started: "" });
    await putBack();
    await expect(take()).rejects.toMatchObject({ kind: "locked" });
    await killed(child);
    await using _lock = await take();
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ pid: process.pid });
  });

  test("a holder that was killed and that nobody has collected yet does not run", async () => {
    // The second program never asks for its child's end.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"]);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8"), { timeout: 10_000 }).toContain(") Z ");
    await leave({ pid, started: "" });
    await putBack();
    await using _lock = await take();
    await killed(parent);
  });

  test("a process that got the number of a dead holder is not taken for it", async () => {
    await leave({ pid: process.pid, started: "1" });
    await putBack();
    await using _lock = await take();
    expect(JSON.parse(await readFile(file, "utf8"))).not.toMatchObject({ started: "1" });
  });

  test.each(["", "{", "null", "[]", '{"pid":-1}', '{"pid":0}'])("a file with %j holds nothing", async (content) => {
    await leave({});
    await writeFile(file, content);
    await using _lock = await take();
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ pid: process.pid });
  });

  test("a holder on another computer is never judged from here", async () => {
    await leave({ pid: 2 ** 22 + 1, host: `not-${hostname()}` });
    await putBack();
    await expect(take()).rejects.toMatchObject({ kind: "locked", hint: expect.stringContaining(`rm ${file}`) });
  });

  test("waits for the holder to end", async () => {
    const lock = await take();
    const waiting = take("restore", 10);
    setTimeout(() => void lock[Symbol.asyncDispose](), 50);
    await using _second = await waiting;
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ what: "restore" });
  });

  test("an abort ends the waiting", async () => {
    await using _lock = await take();
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("stop")), 50);
    await expect(takePidLock(file, { what: "x", wait: 10, signal: abort.signal })).rejects.toThrow("stop");
  });

  async function takeLater(count: number): Promise<AsyncDisposable> {
    await turns(count);
    return await take();
  }

  test("of many that find a stale lock at once, one at a time holds it", async () => {
    await leave({ pid: 2 ** 22 + 1 });
    for (let round = 0; round < 150; round += 1) {
      await putBack();
      const taken = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => takeLater((index * round) % 37)));
      const locks = taken.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.[Symbol.asyncDispose]();
    }
    expect(await readdir(join(folder, "locks"))).toEqual([]);
  }, 60_000);

  test("a removal that was cut short does not block for ever", async () => {
    await leave({ pid: 2 ** 22 + 1 });
    await putBack();
    await writeFile(`${file}.stale`, "");
    const old = new Date(Date.now() - 60_000);
    await utimes(`${file}.stale`, old, old);
    await using _lock = await take();
    expect(await readdir(join(folder, "locks"))).toEqual(["production.lock"]);
  });

  test("a folder that cannot be made is told as such", async () => {
    await writeFile(join(folder, "locks"), "a file");
    await expect(take()).rejects.toMatchObject({ kind: "unexpected", message: expect.stringContaining(file) });
  });
});

/** Turns of the event loop, so that takers meet each other at different steps. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

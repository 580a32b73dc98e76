import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Shell } from "../../../src/core/ports/shell.ts";
import { createSshConnector } from "../../../src/providers/shell/ssh-connector.ts";
import { rejection } from "../../contracts/shell.ts";
import { type Sshd, sshdAvailable, startSshd } from "../../support/sshd.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";

describe.skipIf(!sshdAvailable)("a link that is lost", () => {
  let sshd: Sshd;
  let proxy: TcpProxy;
  let abort: AbortController;
  let shell: Shell;

  beforeEach(async () => {
    sshd = await startSshd();
    proxy = await startTcpProxy({ host: "127.0.0.1", port: sshd.port });
    abort = new AbortController();
    shell = await createSshConnector({
      keyFiles: [sshd.keyFile],
      agentSocket: undefined,
      signal: abort.signal,
      timing: { keepAliveInterval: 0.2, keepAliveMissed: 3, endGrace: 0.5, endSlack: 0.5 },
    }).connect(sshd.target({ endpoint: { host: "127.0.0.1", port: proxy.port } }));
  });
  afterEach(async () => {
    await shell[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
  });

  const lost = {
    kind: "remote",
    message: "the link to test machine was lost while cat ran; nothing is known of the process",
  };

  async function streaming() {
    const process = await shell.open(["cat", "/dev/zero"]);
    let ended = false;
    process.stderr.resume();
    process.stdout.on("end", () => {
      ended = true;
    });
    process.stdout.resume();
    await once(process.stdout, "data");
    return { process, looksComplete: () => ended };
  }

  test("cut in the middle of a stream: the exit rejects and the output does not look complete", async () => {
    const { process, looksComplete } = await streaming();
    proxy.cut();
    expect(await rejection(process.exit)).toMatchObject(lost);
    expect(looksComplete()).toBe(false);
    expect(process.stdout.destroyed).toBe(true);
  });

  test("cut while the reader is slow: the exit rejects at once", async () => {
    const process = await shell.open(["cat", "/dev/zero"]);
    await once(process.stdout, "readable");
    proxy.cut();
    expect(await rejection(process.exit)).toMatchObject(lost);
  });

  test("a silent network is noticed by the keep-alive", async () => {
    const { process, looksComplete } = await streaming();
    proxy.stall();
    const start = performance.now();
    expect(await rejection(process.exit)).toMatchObject(lost);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(looksComplete()).toBe(false);
  });

  test("a quiet process behind a good link is left alone by the keep-alive", async () => {
    expect(await shell.run(["sleep", "1.5"])).toMatchObject({ code: 0 });
  });

  test("sshd's killed session is a lost link", async () => {
    const { process } = await streaming();
    await sshd.killSessions();
    expect(await rejection(process.exit)).toMatchObject(lost);
  });

  test("abort over a silent network rejects in bounded time", async () => {
    const { process } = await streaming();
    proxy.stall();
    abort.abort();
    const start = performance.now();
    expect(await rejection(process.exit)).toMatchObject({ kind: "interrupted" });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("a command on a dead or silent link rejects in bounded time", async () => {
    proxy.stall();
    const waiting = rejection(shell.run(["true"]));
    expect(await waiting).toMatchObject({ kind: "remote" });
    expect(await rejection(shell.run(["true"]))).toMatchObject({
      kind: "remote",
      message: "the link to test machine was lost",
    });
  });

  test("a command that is aborted before the machine answered rejects in bounded time", async () => {
    const own = new AbortController();
    proxy.stall();
    const start = performance.now();
    const waiting = rejection(shell.run(["true"], { signal: own.signal }));
    own.abort();
    expect(await waiting).toMatchObject({ kind: "interrupted" });
    expect(performance.now() - start).toBeLessThan(1500);
  });

  test("dispose over a silent network ends in bounded time", async () => {
    const { process } = await streaming();
    proxy.stall();
    const start = performance.now();
    await shell[Symbol.asyncDispose]();
    await rejection(process.exit);
    expect(performance.now() - start).toBeLessThan(4000);
  });

  test("run rejects too, with half of its input sent", async () => {
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(64 * 1024);
    })();
    const { Readable } = await import("node:stream");
    const failed = rejection(shell.run(["sh", "-c", "cat >/dev/null"], { input: Readable.from(endless) }));
    setTimeout(() => proxy.cut(), 300);
    expect(await failed).toMatchObject({
      kind: "remote",
      message: expect.stringContaining("nothing is known of the process"),
    });
  });
});

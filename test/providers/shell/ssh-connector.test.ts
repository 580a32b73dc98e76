import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SummitError } from "../../../src/core/errors.ts";
import { createSshConnector, type SshConnectorOptions } from "../../../src/providers/shell/ssh-connector.ts";
import { rejection } from "../../contracts/shell.ts";
import { execFileText, startAgent } from "../../support/ssh-agent.ts";
import {
  freePort,
  makeKey,
  publicLine,
  type Sshd,
  sshdAvailable,
  startSshd,
  sudoAvailable,
} from "../../support/sshd.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";

describe.skipIf(!sshdAvailable)("ssh connector", () => {
  let sshd: Sshd;
  let folder: string;
  beforeAll(async () => {
    sshd = await startSshd();
    folder = await mkdtemp(join(tmpdir(), "summit-keys-"));
  });
  afterAll(async () => {
    await sshd[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const connector = (changes: Partial<SshConnectorOptions> = {}) =>
    createSshConnector({
      keyFiles: [sshd.keyFile],
      agentSocket: undefined,
      signal: new AbortController().signal,
      timing: { connectTimeout: 2 },
      ...changes,
    });
  const refusal = async (promise: Promise<unknown>): Promise<SummitError> => (await rejection(promise)) as SummitError;

  describe("host keys", () => {
    test("the proven key is told, out of several pinned ones", async () => {
      const other = await publicLine(await makeKey(join(folder, "other-host")));
      await using shell = await connector().connect(sshd.target({ hostKeys: [other, `${sshd.hostKey} a comment`] }));
      expect(shell.hostKey).toBe(sshd.hostKey);
    });

    test("another key is refused with both fingerprints as ssh-keygen prints them, at once", async () => {
      const file = await makeKey(join(folder, "wrong-host"));
      const fingerprintOf = async (path: string): Promise<string> =>
        (await execFileText("ssh-keygen", ["-l", "-f", `${path}.pub`])).split(" ")[1] ?? "";
      const pinned = await publicLine(file);
      const error = await refusal(connector().connect(sshd.target({ hostKeys: [pinned], patience: 30 })));
      expect(error).toMatchObject({ kind: "remote", hint: "summitctl status" });
      expect(error.message).toBe(
        `test machine proved another host key than the pinned one: expected ssh-ed25519 ${await fingerprintOf(file)}, ` +
          `got ssh-ed25519 ${await fingerprintOf(join(sshd.folder, "host"))}`,
      );
    });

    test("a machine that has no key of a pinned type is refused", async () => {
      await execFileText("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", join(folder, "ecdsa-host")]);
      const pinned = await publicLine(join(folder, "ecdsa-host"));
      const error = await refusal(connector().connect(sshd.target({ hostKeys: [pinned], patience: 30 })));
      expect(error).toMatchObject({ kind: "remote" });
      expect(error.details.at(-1)).toContain("ecdsa-sha2-nistp256");
    });

    test.each(["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=", "nonsense"])(
      "%j is no pin",
      async (line) => {
        expect(await refusal(connector().connect(sshd.target({ hostKeys: [line] })))).toMatchObject({ kind: "config" });
      },
    );

    test.each(["rsa", "ecdsa"])("an %s host key works", async (type) => {
      const file = join(folder, `host-${type}`);
      await execFileText("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", file]);
      await using own = await startSshd({ settings: [`HostKey ${file}`] });
      const pinned = await publicLine(file);
      await using shell = await connector({ keyFiles: [own.keyFile] }).connect(own.target({ hostKeys: [pinned] }));
      expect(shell.hostKey).toBe(pinned);
    });

    test("a generated pair is one that sshd accepts as its host key", async () => {
      for (let round = 0; round < 20; round += 1) {
        const pair = connector().generateKeyPair();
        const file = join(folder, `generated-${round}`);
        await writeFile(file, pair.privateKey, { mode: 0o600 });
        expect((await execFileText("ssh-keygen", ["-y", "-f", file])).trim()).toBe(pair.publicKey);
      }
    });
  });

  describe("operator keys", () => {
    test("several keys are offered in turn", async () => {
      const wrong = await makeKey(join(folder, "not-let-in"));
      await using shell = await connector({ keyFiles: [wrong, sshd.keyFile] }).connect(sshd.target());
      expect(await shell.must(["echo", "in"])).toBe("in\n");
    });

    test("an rsa key is offered with sha2", async () => {
      const file = join(folder, "operator-rsa");
      await execFileText("ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", file]);
      await sshd.letIn([await publicLine(sshd.keyFile), await publicLine(file)]);
      await using shell = await connector({ keyFiles: [file] }).connect(sshd.target());
      expect(await shell.must(["echo", "in"])).toBe("in\n");
    });

    test("a key that is not let in is refused with the keys that were offered", async () => {
      const wrong = await makeKey(join(folder, "refused"));
      const error = await refusal(connector({ keyFiles: [wrong] }).connect(sshd.target()));
      expect(error).toMatchObject({ kind: "remote" });
      expect(error.message).toContain("refused the login of root");
      expect(error.details.join("\n")).toContain(wrong);
    });

    test("too many keys for sshd are a refusal too", async () => {
      const files = await Promise.all(Array.from({ length: 8 }, (_, index) => makeKey(join(folder, `many-${index}`))));
      expect(await refusal(connector({ keyFiles: files }).connect(sshd.target()))).toMatchObject({ kind: "remote" });
    });

    test("key files that cannot be used are told with what to do", async () => {
      const garbage = join(folder, "garbage");
      await writeFile(garbage, "garbage\n");
      const cut = join(folder, "cut");
      await writeFile(
        cut,
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n",
      );
      const locked = await makeKey(join(folder, "locked key"), "secret");
      const pem = join(folder, "locked-pem");
      await execFileText("ssh-keygen", ["-q", "-t", "rsa", "-m", "PEM", "-N", "secret", "-f", pem]);
      const told = async (file: string) => {
        const { kind, message, hint } = await refusal(connector({ keyFiles: [file] }).connect(sshd.target()));
        return { kind, message, hint };
      };
      expect(await told(join(folder, "absent"))).toMatchObject({
        kind: "config",
        message: expect.stringContaining("cannot be read"),
      });
      expect(await told(folder)).toMatchObject({ kind: "config", message: expect.stringContaining("cannot be read") });
      expect(await told(garbage)).toMatchObject({
        kind: "config",
        message: expect.stringContaining("got something else"),
      });
      expect(await told(cut)).toMatchObject({ kind: "config" });
      expect(await told(`${sshd.keyFile}.pub`)).toMatchObject({
        kind: "config",
        message: expect.stringContaining("public key"),
      });
      for (const file of [locked, pem]) {
        expect(await told(file)).toMatchObject({
          kind: "config",
          message: expect.stringContaining("passphrase"),
          hint: expect.stringContaining("ssh-add "),
        });
      }
      expect((await told(locked)).hint).toContain(`'${locked}'`);
    });

    test("no key at all is told before anything is sent", async () => {
      const error = await refusal(connector({ keyFiles: [] }).connect(sshd.target()));
      expect(error).toMatchObject({ kind: "config", hint: "ssh-keygen -t ed25519" });
      const dead = connector({ keyFiles: [], agentSocket: join(folder, "no-agent") });
      expect(await refusal(dead.publicKeys())).toMatchObject({ kind: "config", hint: "ssh-add" });
    });

    test("an agent's keys are offered, also for a key file that is protected", async () => {
      await using agent = await startAgent();
      const held = await makeKey(join(folder, "held"));
      await agent.add(held);
      await sshd.letIn([await publicLine(sshd.keyFile), await publicLine(held)]);
      await using shell = await connector({ keyFiles: [], agentSocket: agent.socket }).connect(sshd.target());
      expect(await shell.must(["echo", "in"])).toBe("in\n");
      await execFileText("ssh-keygen", ["-q", "-p", "-P", "", "-N", "secret", "-f", held]);
      await using second = await connector({ keyFiles: [held], agentSocket: agent.socket }).connect(sshd.target());
      expect(await second.must(["echo", "in"])).toBe("in\n");
      const both = connector({ keyFiles: [sshd.keyFile], agentSocket: agent.socket });
      expect(await both.publicKeys()).toEqual([await publicLine(sshd.keyFile), await publicLine(held)]);
    });

    test("an agent that is gone does not matter when there is a key file", async () => {
      await using shell = await connector({ agentSocket: join(folder, "no-agent") }).connect(sshd.target());
      expect(await shell.must(["echo", "in"])).toBe("in\n");
    });
  });

  describe("patience", () => {
    test("without it a refused connection is told at once", async () => {
      const port = await freePort();
      const error = await refusal(connector().connect(sshd.target({ endpoint: { host: "127.0.0.1", port } })));
      expect(error).toMatchObject({ kind: "remote", message: expect.stringContaining("ECONNREFUSED") });
    });

    test("a machine that starts meanwhile is waited for", async () => {
      const port = await freePort();
      const connecting = connector().connect(sshd.target({ endpoint: { host: "127.0.0.1", port }, patience: 20 }));
      const late = new Promise<TcpProxy>((resolve, reject) => {
        setTimeout(() => void startTcpProxy({ host: "127.0.0.1", port: sshd.port }, port).then(resolve, reject), 500);
      });
      await using _proxy = await late;
      await using shell = await connecting;
      expect(await shell.must(["echo", "in"])).toBe("in\n");
    });

    test("a login that is let in meanwhile is waited for", async () => {
      const late = await makeKey(join(folder, "late"));
      const known = await publicLine(sshd.keyFile);
      const connecting = connector({ keyFiles: [late] }).connect(sshd.target({ patience: 20 }));
      setTimeout(() => void publicLine(late).then((line) => sshd.letIn([known, line])), 300);
      await using shell = await connecting;
      expect(await shell.must(["echo", "in"])).toBe("in\n");
    });

    test("a server that accepts and closes is tried until patience ends", async () => {
      let tries = 0;
      const server = createServer((socket) => {
        tries += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const error = await refusal(
        connector().connect(sshd.target({ endpoint: { host: "127.0.0.1", port }, patience: 1 })),
      );
      server.close();
      expect(error.kind).toBe("remote");
      expect(tries).toBeGreaterThan(2);
    });

    test("a server that says nothing is given up after the connect timeout", async () => {
      const server = createServer(() => {});
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const quick = connector({ timing: { connectTimeout: 0.3 } });
      const error = await refusal(quick.connect(sshd.target({ endpoint: { host: "127.0.0.1", port } })));
      server.close();
      expect(error.message).toContain("did not answer within 0.3 s");
    });

    test("something that is not ssh is told at once", async () => {
      const server = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const error = await refusal(connector().connect(sshd.target({ endpoint: { host: "127.0.0.1", port } })));
      server.close();
      expect(error.kind).toBe("remote");
    });

    test("an abort ends the waiting", async () => {
      const port = await freePort();
      const abort = new AbortController();
      const target = sshd.target({ endpoint: { host: "127.0.0.1", port }, patience: 60, signal: abort.signal });
      const error = refusal(connector().connect(target));
      setTimeout(() => abort.abort(), 300);
      expect(await error).toMatchObject({ kind: "interrupted" });
    });
  });

  test.skipIf(!sudoAvailable)("a login without sudo is told as such", async () => {
    await using own = await startSshd({ user: { sudo: false } });
    await using shell = await connector({ keyFiles: [own.keyFile] }).connect(own.target());
    const error = await refusal(shell.run(["true"]));
    expect(error).toMatchObject({ kind: "remote", hint: expect.stringContaining("sudo -n true") });
    expect(error.message).toContain("test machine did not start true: sudo ended with exit status 1");
    expect(error.details.join("\n")).toContain("sudo");
  });

  test("ssh2 is not loaded before the first connection", async () => {
    const script = `
      const { createSshConnector } = await import(${JSON.stringify(new URL("../../../src/providers/shell/ssh-connector.ts", import.meta.url).href)});
      createSshConnector({ keyFiles: [], agentSocket: undefined, signal: new AbortController().signal });
      const { createRequire } = await import("node:module");
      const loaded = Object.keys(createRequire(process.cwd() + "/x.js").cache).filter((file) => file.includes("/ssh2/"));
      process.stdout.write(String(loaded.length));`;
    const out = await execFileText(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
    expect(out).toBe("0");
  });
});

import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSshConnector } from "../../../src/providers/shell/ssh-connector.ts";
import { rejection, until } from "../../contracts/shell.ts";
import { type Sshd, sshdAvailable, startSshd } from "../../support/sshd.ts";

/** What a terminal does, without one. */
class FakeInput extends PassThrough {
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
}

class FakeOutput extends PassThrough {
  columns = 91;
  rows = 31;
  text = "";

  constructor() {
    super();
    this.on("data", (chunk: Buffer) => {
      this.text += chunk.toString();
    });
  }
}

describe.skipIf(!sshdAvailable)("an interactive session", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(async () => sshd[Symbol.asyncDispose]());

  const connect = () =>
    createSshConnector({
      keyFiles: [sshd.keyFile],
      agentSocket: undefined,
      signal: new AbortController().signal,
    }).connect(sshd.target());

  test("has the size of the terminal, follows it, and passes the exit status on", async () => {
    await using shell = await connect();
    const input = new FakeInput();
    const output = new FakeOutput();
    const ended = shell.terminal({ input, output, term: "xterm" });
    input.write("stty size; echo $TERM\n");
    await until(async () => /31 91\r\nxterm\r\n/.test(output.text));
    output.columns = 77;
    output.emit("resize");
    input.write("stty size\n");
    await until(async () => output.text.includes("31 77\r\n"));
    input.write("exit 5\n");
    expect(await ended).toEqual({ code: 5, signal: undefined });
    expect(input.modes).toEqual([true, false]);
    expect(output.listenerCount("resize")).toBe(0);
    expect(output.writable).toBe(true);
  });

  test("restores the terminal when the link is lost", async () => {
    await using shell = await connect();
    const input = new FakeInput();
    const output = new FakeOutput();
    const ended = shell.terminal({ input, output, term: "xterm" });
    input.write("echo rea''dy\n");
    await until(async () => output.text.includes("ready\r\n"));
    await sshd.killSessions();
    expect(await rejection(ended)).toMatchObject({ kind: "remote" });
    expect(input.modes).toEqual([true, false]);
  });
});

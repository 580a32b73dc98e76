import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP forwarder on an address of this computer that can hurt the connections that go through it. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Resets every connection. */
  cut(): void;
  /** Passes nothing on any more, in either direction, and says nothing: what a dead network looks like. */
  stall(): void;
  /** Bytes passed on towards the client so far. */
  received(): number;
}

export async function startTcpProxy(
  target: { host: string; port: number },
  port = 0,
  host = "127.0.0.1",
): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let stalled = false;
  let received = 0;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    pass(client, upstream, () => stalled);
    pass(upstream, client, () => stalled);
    upstream.on("data", (chunk) => {
      received += chunk.length;
    });
    for (const socket of pair) {
      socket.on("error", () => {});
      socket.on("close", () => {
        pairs.delete(pair);
        if (!stalled) for (const each of pair) each.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    stall() {
      stalled = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    received: () => received,
    async [Symbol.asyncDispose]() {
      stalled = false;
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(from: Socket, to: Socket, stalled: () => boolean): void {
  from.on("data", (chunk) => {
    if (!stalled() && !to.write(chunk)) from.pause();
  });
  to.on("drain", () => {
    if (!stalled()) from.resume();
  });
  from.on("end", () => {
    if (!stalled()) to.end();
  });
}

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { httpGet } from "../../src/providers/http/get.ts";
import { askFromInside, askFromOutside } from "../../src/recovery/ask-page.ts";
import type { StackService } from "../../src/stack/stack.ts";
import { EXAMPLE_SERVICES, stackWith } from "../stack/stack-fixture.ts";
import { createLocalShell } from "../support/local-shell.ts";

const NEVER = new AbortController().signal;

let server: Server | undefined;
afterEach(() => new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve))));

/** A front that gives these answers in turn, the last one for ever; says what it was asked for. */
async function front(...answers: readonly number[]): Promise<{ url: string; port: number; asked: string[] }> {
  const asked: string[] = [];
  const left = [...answers];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead((left.length > 1 ? left.shift() : left[0]) ?? 500).end("page");
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, asked };
}

async function haproxy(port = 80): Promise<StackService> {
  const { services } = await stackWith({
    ...EXAMPLE_SERVICES,
    haproxy: { relations: { backend: "summit" }, options: { http_port: port } },
  });
  const found = services.find(({ name }) => name === "haproxy");
  if (found === undefined) throw new Error("no haproxy");
  return found;
}

const deps = (attempts: number, signal = NEVER) => ({ http: httpGet(signal), signal, attempts });

test("at the address: health, then a page; the URL that answered is returned", async () => {
  const { url, asked } = await front(200);
  expect(await askFromOutside(["https://10.0.0.1/", url], await haproxy(), deps(1))).toBe(url);
  expect(asked).toEqual(["/health/", "/"]);
});

test("at the address: a front that needs a moment gets it", async () => {
  const { url, asked } = await front(503, 503, 200);
  await askFromOutside([url], await haproxy(), deps(3));
  expect(asked).toEqual(["/health/", "/health/", "/health/", "/"]);
});

test("at the address: one that stays ill is an error with its status", async () => {
  const { url } = await front(503);
  await expect(askFromOutside([url], await haproxy(), deps(1))).rejects.toMatchObject({
    kind: "verification",
    message: `${url}health/ does not answer as it should: status 503`,
  });
});

test("at the address: healthy, but without a page", async () => {
  const { url } = await front(200, 500);
  await expect(askFromOutside([url], await haproxy(), deps(1))).rejects.toMatchObject({
    kind: "verification",
    message: expect.stringContaining("status 500"),
  });
});

test("at the address: nobody there", async () => {
  const { url } = await front(200);
  await new Promise((resolve) => server?.close(resolve));
  server = undefined;
  await expect(askFromOutside([url], await haproxy(), deps(1))).rejects.toMatchObject({ kind: "verification" });
  await expect(askFromOutside([], await haproxy(), deps(1))).rejects.toMatchObject({ kind: "verification" });
});

test("at the address: an interruption ends the asking at once", async () => {
  const { url, asked } = await front(503);
  const stopped = AbortSignal.abort(new Error("stopped"));
  await expect(askFromOutside([url], await haproxy(), deps(1000, stopped))).rejects.toThrow("stopped");
  expect(asked).toEqual([]);
});

test("from inside: health and page, on the port that the front has", async () => {
  const { port, asked } = await front(200);
  await using shell = createLocalShell();
  await askFromInside(shell, await haproxy(port), NEVER);
  expect(asked).toEqual(["/health/", "/"]);
});

test("from inside: a redirect is a page, an error is not", async () => {
  const { port } = await front(302);
  await using shell = createLocalShell();
  await askFromInside(shell, await haproxy(port), NEVER);
  await new Promise((resolve) => server?.close(resolve));
  const ill = await front(502);
  await expect(askFromInside(shell, await haproxy(ill.port), NEVER)).rejects.toMatchObject({
    kind: "verification",
    message: "/health/ of the new environment answers 502, expected 200",
  });
});

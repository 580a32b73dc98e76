import { expect, test } from "vitest";
import { SummitError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { httpPost } from "../../src/providers/http/post.ts";
import { type BackupRunDeps, takeScheduledBackup } from "../../src/schedule/notified-backup.ts";
import { configOf, HEAD } from "../config/config-fixture.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { pingServer } from "../support/ping-server.ts";

const never = () => Promise.reject(new Error("not asked for"));

/** A project whose packs cannot be read. */
const depsOf = (url: string, error: Error): BackupRunDeps => ({
  out: fakeOutput(),
  now: () => new Date("2026-11-22T14:38:00Z"),
  signal: new AbortController().signal,
  version: "0.1.0",
  machines: never,
  stores: never,
  connector: never,
  post: httpPost,
  secret: async () => new Secret(url),
  config: async () => configOf(`${HEAD}secrets: { ping_url: { env: PING } }\nnotify: { ping: { secret: ping_url } }\n`),
  project: () => Promise.reject(error),
});

test("what fails before a backup begins is told too, with its exit code", async () => {
  await using server = await pingServer();
  const error = new SummitError("config", "summit.lock has 1 problem");
  const request = { environment: undefined, notify: true };
  await expect(takeScheduledBackup(request, depsOf(server.url, error))).rejects.toBe(error);
  expect(server.heard.map(({ path }) => path.replace(/\?.*/, ""))).toEqual(["/ping/s3cr3t/start", "/ping/s3cr3t/3"]);
  expect(server.heard[1]?.body).toContain("error: summit.lock has 1 problem");
});

test("Ctrl-C is told as well", async () => {
  await using server = await pingServer();
  const error = new SummitError("interrupted", "interrupted by SIGTERM");
  const request = { environment: "production", notify: true };
  await expect(takeScheduledBackup(request, depsOf(server.url, error))).rejects.toBe(error);
  expect(server.heard[1]?.path).toContain("/130?");
});

test("without --notify nobody is told", async () => {
  await using server = await pingServer();
  const error = new SummitError("config", "summit.lock has 1 problem");
  const request = { environment: undefined, notify: false };
  await expect(takeScheduledBackup(request, depsOf(server.url, error))).rejects.toBe(error);
  expect(server.heard).toEqual([]);
});

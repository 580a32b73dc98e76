import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { placeChecks, storeChecks } from "../../src/environment/doctor-stores.ts";
import { s3Store } from "../../src/providers/stores/s3.ts";
import type { S3Settings } from "../../src/providers/stores/s3-client.ts";
import { s3Memory } from "../../src/providers/stores/s3-memory.ts";
import { configOf, HEAD } from "../config/config-fixture.ts";
import { startConditionalProxy } from "../support/conditional-proxy.ts";
import { type S3Server, testBucket } from "../support/s3-server.ts";
import { startSwift, swiftIsInstalled } from "../support/swift.ts";

const placesOf = async (stores: string) =>
  (await placeChecks(configOf(HEAD.replace(/^stores:.*$/m, `stores: ${stores}`)).stores)).map(({ ok }) => ok);

test.each([
  ["[file:///var/backups/x]", ["warning"]],
  ["[file:///tmp/x, file:///var/y]", ["warning"]],
  ["[file:///tmp/x, { url: s3://bucket, endpoint: 'http://127.0.0.1:9000' }]", ["warning"]],
  ["[file:///tmp/x, { url: s3://bucket, endpoint: 'http://localhost' }]", ["warning"]],
  ["[file:///tmp/x, { url: s3://bucket, endpoint: 'https://s3.example.org' }]", []],
  ["[s3://bucket]", []],
])("stores %s", async (stores, expected) => {
  expect(await placesOf(stores)).toEqual(expected);
});

describe.skipIf(!(await swiftIsInstalled()))("a bucket", () => {
  let swift: S3Server;
  let folder: string;
  beforeAll(async () => {
    swift = await startSwift();
    folder = await mkdtemp(join(tmpdir(), "summit-doctor-"));
  });
  afterAll(async () => {
    await swift?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const look = async (settings: S3Settings, { index = 0, required = true } = {}) => {
    const store = s3Store(settings, { timing: { attempts: 1 }, memory: s3Memory(folder, settings) });
    const { url, ...s3 } = settings;
    const summary = async () => {
      await store.list("");
      return { newest: undefined, broken: [] };
    };
    const checks = await storeChecks({ index, store: { url, required, s3 }, project: "p" }, summary, {
      stores: async () => [store, store],
      now: () => new Date(),
      signal: new AbortController().signal,
    });
    return { store, lines: checks.map(({ ok, message, hint }) => [ok, message, hint].filter(Boolean).join(" | ")) };
  };

  test("what was never tried is not told, and nothing is written", async () => {
    const { settings, names } = await testBucket(swift);
    const { lines } = await look(settings);
    expect(lines).toEqual([
      "true | readable, no backups yet; whether it takes objects, and how, is found out by the first backup",
    ]);
    expect(await names()).toEqual([]);
  });

  test("what was found out is told, and that the first store lacks exclusive creation is a warning", async () => {
    const { settings } = await testBucket(swift);
    await (await look(settings)).store.put("x", Buffer.from("x"));
    const found = expect.stringMatching(
      /^true \| readable, no backups yet; no exclusive creation, compares MD5 sums, takes 1000 parts \(tried [\d.]+ s ago\)$/,
    );
    expect((await look(settings)).lines).toEqual([found, expect.stringContaining("warning | it holds state")]);
    expect((await look(settings, { index: 1 })).lines).toEqual([found]);
  });

  test("a server that honours conditions", async () => {
    await using proxy = await startConditionalProxy(swift);
    const { settings } = await testBucket(swift, proxy.endpoint);
    await (await look(settings)).store.capabilities();
    expect((await look(settings)).lines).toEqual([
      expect.stringContaining("; exclusive creation, compares CRC-32 sums, takes 1000 parts (tried "),
    ]);
  });

  test("a bucket that is not there fails, or warns where it is not required", async () => {
    const { settings } = await testBucket(swift);
    const nowhere = { ...settings, bucket: "nowhere" };
    expect((await look(nowhere)).lines).toEqual([
      expect.stringMatching(/there is no bucket "nowhere".* \| aws s3 mb s3:\/\/nowhere/),
    ]);
    expect((await look(nowhere, { required: false })).lines).toEqual([expect.stringMatching(/^warning \| .*nowhere/)]);
  });
});

import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CreateMultipartUploadCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST_PART_SIZE } from "../../../src/providers/stores/part-size.ts";
import { s3Store } from "../../../src/providers/stores/s3.ts";
import { describeObjectStore, type StoreUnderTest } from "../../contracts/store.ts";
import { type ProxyOptions, startConditionalProxy } from "../../support/conditional-proxy.ts";
import { type S3Server, type TestBucket, testBucket } from "../../support/s3-server.ts";
import { startSwift, swiftIsInstalled } from "../../support/swift.ts";

describe.skipIf(!(await swiftIsInstalled()))("s3", () => {
  let swift: S3Server;
  beforeAll(async () => {
    swift = await startSwift();
  });
  afterAll(() => swift?.[Symbol.asyncDispose]());

  describeObjectStore("s3 on Swift", async () => underTest(await testBucket(swift)));

  describeObjectStore("s3 on a server that honours conditions", async () => {
    const proxy = await startConditionalProxy(swift);
    const under = underTest(await testBucket(swift, proxy.endpoint));
    // The proxy is in this process, with whole parts in its memory.
    return { ...under, inMemory: true, cleanup: async () => await proxy[Symbol.asyncDispose]() };
  });

  test.each([true, false])(
    "an object in parts is not completed over another one (conditions: %s)",
    async (honoured) => {
      const options: ProxyOptions = { conditions: honoured ? "honoured" : "ignored", crc32: true };
      await using proxy = await startConditionalProxy(swift, options);
      const { settings, uploads } = await testBucket(swift, proxy.endpoint);
      const store = s3Store(settings);
      const body = new PassThrough();
      const late = store.put("x", body);
      late.catch(() => undefined);
      await pipeline(Readable.from([Buffer.alloc(FIRST_PART_SIZE + 1)]), body, { end: false });
      await expect.poll(uploads).toEqual(["back/ups/x"]);
      await store.put("x", Buffer.from("first"));
      body.end();
      await expect(late).rejects.toMatchObject({ kind: "check" });
      expect((await buffer(await store.get("x"))).toString()).toBe("first");
      expect(await uploads()).toEqual([]);
    },
  );

  test("of objects sent in parts at once one wins, and the others leave no parts", async () => {
    await using proxy = await startConditionalProxy(swift);
    const { settings, names, uploads } = await testBucket(swift, proxy.endpoint);
    const bodies = [1, 2, 3].map((fill) => Buffer.alloc(FIRST_PART_SIZE + 100_000, fill));
    const store = s3Store(settings);
    const results = await Promise.allSettled(bodies.map((body) => store.put("race", body)));
    const won = results.findIndex(({ status }) => status === "fulfilled");
    const lost = results.filter((result) => result.status === "rejected");
    expect(lost.map(({ reason }) => reason.kind)).toEqual(["check", "check"]);
    expect((await buffer(await store.get("race"))).equals(bodies[won] as Buffer)).toBe(true);
    expect([await names(), await uploads()]).toEqual([["back/ups/race"], []]);
  });

  describe("what a server can do is found out", () => {
    test("Swift refuses conditions, compares MD5 and takes 1,000 parts", async () => {
      const { settings, names, uploads } = await testBucket(swift);
      const capabilities = await s3Store(settings).capabilities();
      expect(capabilities).toEqual({ exclusiveCreate: false, checksum: "md5", maxParts: 1000 });
      expect([await names(), await uploads()]).toEqual([[], []]);
    });

    test.each<[ProxyOptions, object]>([
      [
        { conditions: "honoured", crc32: true },
        { exclusiveCreate: true, checksum: "crc32" },
      ],
      [
        { conditions: "honoured", crc32: false },
        { exclusiveCreate: true, checksum: "md5" },
      ],
      [
        { conditions: "ignored", crc32: true },
        { exclusiveCreate: false, checksum: "crc32" },
      ],
    ])("a server with %j", async (options, expected) => {
      await using proxy = await startConditionalProxy(swift, options);
      const { settings, names, uploads } = await testBucket(swift, proxy.endpoint);
      expect(await s3Store(settings).capabilities()).toMatchObject(expected);
      expect([await names(), await uploads()]).toEqual([[], []]);
    });
  });
});

const underTest = ({ settings, client }: TestBucket): StoreUnderTest => ({
  store: s3Store(settings),
  inMemory: false,
  clockStep: 1000,
  rounds: 6,
  async leaveUnfinished(key) {
    const target = { Bucket: settings.bucket, Key: `${settings.prefix}/${key}` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Buffer.from("x") }));
  },
  cleanup: async () => undefined,
});

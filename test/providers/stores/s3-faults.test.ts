import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ObjectStore } from "../../../src/core/ports/store.ts";
import { FIRST_PART_SIZE } from "../../../src/providers/stores/part-size.ts";
import { s3Store } from "../../../src/providers/stores/s3.ts";
import { startConditionalProxy } from "../../support/conditional-proxy.ts";
import { type Exchange, type Fault, type FaultyHttp, startFaultyHttp } from "../../support/faulty-http.ts";
import { type S3Server, type TestBucket, testBucket } from "../../support/s3-server.ts";
import { startSwift, swiftIsInstalled } from "../../support/swift.ts";

const TIMING = { connect: 2, silence: 1.5, attempts: 2, cleanup: 3 };
const BIG = randomBytes(FIRST_PART_SIZE + 500_000);
const SMALL = Buffer.from("small");

const isPut = ({ method, query }: Exchange): boolean => method === "PUT" && !query.has("partNumber");
const isPart = (number: number) => (exchange: Exchange) => exchange.query.get("partNumber") === String(number);
const isComplete = ({ method, query }: Exchange): boolean => method === "POST" && query.has("uploadId");
const isBegin = ({ method, query }: Exchange): boolean => method === "POST" && query.has("uploads");
const isGet = ({ method, query }: Exchange): boolean => method === "GET" && !query.has("list-type");
const always = (): boolean => true;

describe.skipIf(!(await swiftIsInstalled()))("s3 with bad luck", () => {
  let swift: S3Server;
  let proxy: FaultyHttp;
  let bucket: TestBucket;
  let store: ObjectStore;
  beforeAll(async () => {
    swift = await startSwift();
    proxy = await startFaultyHttp(swift.endpoint);
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await swift?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    bucket = await testBucket(swift, proxy.endpoint);
    store = s3Store(bucket.settings, { timing: TIMING });
    await store.capabilities();
  });
  afterEach(() => {
    proxy.fault = () => undefined;
  });

  /** Hurts exchanges of a kind, the first `times` of them. */
  const inject = (fault: Fault, which: (exchange: Exchange) => boolean, times = Number.POSITIVE_INFINITY): void => {
    let left = times;
    proxy.fault = (exchange) => {
      if (left === 0 || !which(exchange)) return undefined;
      left -= 1;
      return fault;
    };
  };
  const slowDown: Fault = { status: 503, code: "SlowDown" };
  const internal: Fault = { status: 500, code: "InternalError" };
  const denied: Fault = { status: 403, code: "AccessDenied" };
  const expired: Fault = { status: 403, code: "ExpiredToken" };

  const AGAIN = "run the same command again";
  test.each<[string, Buffer, Fault, (exchange: Exchange) => boolean, string, string]>([
    ["500 on a small object", SMALL, internal, isPut, "it failed (InternalError, status 500)", AGAIN],
    ["503 on a small object", SMALL, slowDown, isPut, "it is overloaded (SlowDown)", AGAIN],
    ["500 when an upload begins", BIG, internal, isBegin, "it failed (InternalError, status 500)", AGAIN],
    ["500 on the second part", BIG, internal, isPart(2), "it failed (InternalError, status 500)", AGAIN],
    ["503 on the second part", BIG, slowDown, isPart(2), "it is overloaded (SlowDown)", AGAIN],
    ["403 in the middle", BIG, denied, isPart(2), "access denied", "aws sts get-caller-identity"],
    ["credentials that expire in the middle", BIG, expired, isPart(2), "the credentials have expired", "aws sso login"],
    ["500 on completing", BIG, internal, isComplete, "it failed (InternalError, status 500)", AGAIN],
    ["a part that is always damaged", BIG, "damage", isPart(2), "the bytes were damaged on the way", AGAIN],
    ["a small object that is always damaged", SMALL, "damage", isPut, "the bytes were damaged on the way", AGAIN],
    ["a part whose ETag comes wrong", BIG, "wrong etag", isPart(1), "it does not have the parts that it took", AGAIN],
    ["a link that stalls in a part", BIG, "stall", isPart(1), "did not answer in time", "curl -sSI http://127.0.0.1:"],
    ["a link that stalls on a small object", SMALL, "stall", isPut, "did not answer in time", "curl -sSI"],
    ["a link that is cut in every part", BIG, "cut", isPart(2), "cannot be reached (ECONNRESET)", "curl -sSI"],
  ])("%s: kind store, the reason, a hint, and nothing is left", async (_, body, fault, which, reason, hint) => {
    inject(fault, which);
    const stream = Readable.from([body], { objectMode: false });
    const failed = await store.put("a/b", stream).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      kind: "store",
      message: expect.stringContaining(`did not take "a/b"`),
      hint: expect.stringContaining(hint),
    });
    expect((failed as Error).message).toContain(reason);
    expect(stream.destroyed).toBe(true);
    expect(proxy.hurt()).toBeGreaterThan(0);
    expect([await bucket.names(), await bucket.uploads()]).toEqual([[], []]);
    inject("stall", () => false);
    expect(await store.put("a/b", body)).toMatchObject({ size: body.length });
  });

  test.each<[string, Buffer, Fault, (exchange: Exchange) => boolean, number]>([
    ["one 503 in a part", BIG, slowDown, isPart(2), 1],
    ["one cut in a part", BIG, "cut", isPart(1), 1],
    ["one stall in a part", BIG, "stall", isPart(1), 1],
    ["a part damaged twice", BIG, "damage", isPart(1), 2],
    ["the answer to completing is lost", BIG, "lose answer", isComplete, 1],
    ["every answer to completing is lost", BIG, "lose answer", isComplete, 9],
    ["the answer to a small object is lost", SMALL, "lose answer", isPut, 1],
    ["every answer to a small object is lost", SMALL, "lose answer", isPut, 9],
  ])("%s: the object is there, whole", async (_, body, fault, which, times) => {
    inject(fault, which, times);
    expect(await store.put("a/b", body)).toMatchObject({ size: body.length });
    expect((await buffer(await store.get("a/b"))).equals(body)).toBe(true);
    expect([await bucket.names(), await bucket.uploads()]).toEqual([["back/ups/a/b"], []]);
  });

  test.each<[string, Buffer, (exchange: Exchange) => boolean]>([
    ["completing", BIG, isComplete],
    ["a small object", SMALL, isPut],
  ])("an answer to %s that is lost, where the second attempt then meets our own object", async (_, body, which) => {
    await using conditional = await startConditionalProxy(swift);
    await using faulty = await startFaultyHttp(conditional.endpoint);
    const { settings, uploads } = await testBucket(swift, faulty.endpoint);
    const careful = s3Store(settings, { timing: TIMING });
    expect(await careful.capabilities()).toMatchObject({ exclusiveCreate: true });
    let left = 1;
    faulty.fault = (exchange) => {
      if (left === 0 || !which(exchange)) return undefined;
      left -= 1;
      return "lose answer";
    };
    expect(await careful.put("x", body)).toMatchObject({ size: body.length });
    await expect(careful.put("x", body)).rejects.toMatchObject({ kind: "check" });
    expect((await buffer(await careful.get("x"))).equals(body)).toBe(true);
    expect(await uploads()).toEqual([]);
  });

  test("no region is known: kind config, before anything is asked", async () => {
    process.env["AWS_CONFIG_FILE"] = "/nowhere";
    const store = s3Store({ ...bucket.settings, endpoint: undefined }, { timing: TIMING });
    const expected = { kind: "config", hint: expect.stringContaining("region: eu-central-1") };
    for (const call of [store.put("x", SMALL), store.head("x"), store.list(""), store.get("x"), store.now()])
      await expect(call).rejects.toMatchObject(expected);
  });

  test("an abort in the middle of a part leaves nothing, though nothing is answered", async () => {
    const abort = new AbortController();
    const reason = new Error("ctrl-c");
    inject("stall", (exchange) => {
      if (!isPart(2)(exchange)) return false;
      setImmediate(() => abort.abort(reason));
      return true;
    });
    await expect(store.put("a/b", Readable.from([BIG]), abort.signal)).rejects.toBe(reason);
    expect([await bucket.names(), await bucket.uploads()]).toEqual([[], []]);
  });

  test("a body that fails after its first parts leaves no upload, and its own error is told", async () => {
    const failure = new Error("pg_dump died");
    async function* body() {
      yield BIG;
      throw failure;
    }
    await expect(store.put("a/b", Readable.from(body()))).rejects.toBe(failure);
    expect([await bucket.names(), await bucket.uploads()]).toEqual([[], []]);
  });

  test("a body's error that looks like the network's stays the body's", async () => {
    const failure = Object.assign(new Error("ssh: connection reset"), { code: "ECONNRESET" });
    async function* body() {
      yield BIG;
      throw failure;
    }
    await expect(store.put("a/b", Readable.from(body()))).rejects.toBe(failure);
  });

  describe("reading", () => {
    const body = randomBytes(3_000_000);
    beforeEach(async () => {
      await store.put("x", body);
    });

    test.each<[string, Fault, number]>([
      ["half an answer, then a reset", "half answer", 3],
      ["a stall before the answer", "stall", 1],
      ["half an answer, then a stall", "half stall", 2],
    ])("%s: goes on where it ended", async (_, fault, times) => {
      inject(fault, isGet, times);
      expect((await buffer(await store.get("x"))).equals(body)).toBe(true);
      inject(fault, isGet, times);
      const part = await buffer(await store.get("x", { offset: 1_000_000, length: 1_500_000 }));
      expect(part.equals(body.subarray(1_000_000, 2_500_000))).toBe(true);
    });

    test("a reader that pauses for longer than a silent link is given gets all of it", async () => {
      await store.put("big", BIG);
      const chunks: Buffer[] = [];
      for await (const chunk of await store.get("big")) {
        if (chunks.length === 0) await new Promise((resolve) => setTimeout(resolve, TIMING.silence * 2000));
        chunks.push(chunk as Buffer);
      }
      expect(Buffer.concat(chunks).equals(BIG)).toBe(true);
    });

    test("an object that is replaced meanwhile is not read on", async () => {
      inject("half answer", isGet, 1);
      const stream = await store.get("x");
      await store.delete("x");
      await store.put("x", randomBytes(3_000_000));
      await expect(buffer(stream)).rejects.toMatchObject({ kind: "store" });
    });

    test("a range that answers with other bytes than asked for is an error, never a short success", async () => {
      inject("short answer", isGet);
      const range = { offset: 0, length: body.length };
      const read = async () => await buffer(await store.get("x", range));
      await expect(read()).rejects.toMatchObject({ kind: "store", message: expect.stringContaining("bytes of") });
    });

    test("a refusal in the middle is an error", async () => {
      let count = 0;
      proxy.fault = (exchange) => {
        if (!isGet(exchange)) return undefined;
        count += 1;
        return count === 1 ? "half answer" : denied;
      };
      const read = async () => await buffer(await store.get("x"));
      await expect(read()).rejects.toMatchObject({ kind: "store", message: expect.stringContaining("access denied") });
    });
  });

  describe("what is asked of every request", () => {
    const calls = (asked: ObjectStore): [string, () => Promise<unknown>][] => [
      ["put", () => asked.put("x", SMALL)],
      ["get", () => asked.get("x")],
      ["head", () => asked.head("x")],
      ["list", () => asked.list("")],
      ["delete", () => asked.delete("x")],
      ["now", () => asked.now()],
      ["capabilities", () => asked.capabilities()],
      ["removeUnfinished", () => asked.removeUnfinished("a/")],
      ["begin", async () => await asked.direct?.begin("x")],
    ];
    const eachOf = async (asked: ObjectStore, expected: object): Promise<void> => {
      for (const [name, call] of calls(asked)) {
        const failed = await call().catch((error: unknown) => error);
        expect(failed, name).toMatchObject({ kind: "store", ...expected });
      }
    };

    test("a bucket that is not there", async () => {
      const nowhere = s3Store({ ...bucket.settings, bucket: "nowhere" }, { timing: TIMING });
      await eachOf(nowhere, {
        message: expect.stringContaining('there is no bucket "nowhere"'),
        hint: `aws s3 mb s3://nowhere --region us-east-1 --endpoint-url ${proxy.endpoint}`,
      });
    });

    test("a region that is not the bucket's, and which one is", async () => {
      inject({ status: 301, code: "PermanentRedirect", headers: { "x-amz-bucket-region": "eu-west-3" } }, always);
      const elsewhere = s3Store(bucket.settings, { timing: TIMING });
      await eachOf(elsewhere, {
        message: expect.stringContaining("is in the region eu-west-3, and us-east-1 was asked"),
        hint: "in summit.yaml, for that store: region: eu-west-3",
      });
    });

    test("credentials that are not known", async () => {
      const known = process.env["AWS_SECRET_ACCESS_KEY"];
      process.env["AWS_SECRET_ACCESS_KEY"] = "wrong";
      try {
        await eachOf(s3Store({ ...bucket.settings, profile: undefined }, { timing: TIMING }), {
          message: expect.stringContaining("the credentials are not valid for region us-east-1"),
          hint: "aws sts get-caller-identity",
        });
      } finally {
        process.env["AWS_SECRET_ACCESS_KEY"] = known;
      }
    });

    test("a server that is not there", async () => {
      const gone = s3Store({ ...bucket.settings, endpoint: "http://127.0.0.1:9" }, { timing: TIMING });
      await eachOf(gone, {
        message: expect.stringContaining("http://127.0.0.1:9 cannot be reached (ECONNREFUSED)"),
        hint: "curl -sSI http://127.0.0.1:9",
      });
    });

    test("a clock that is wrong", async () => {
      inject({ status: 403, code: "RequestTimeTooSkewed" }, always);
      await eachOf(s3Store(bucket.settings, { timing: TIMING }), {
        message: expect.stringContaining("clock"),
        hint: "timedatectl set-ntp true",
      });
    });
  });

  test("a listing that ends early is an error, not a short list", async () => {
    const more = "<IsTruncated>true</IsTruncated>";
    proxy.fault = ({ query }) =>
      query.has("list-type") ? { status: 200, code: `x</Code></Error>${more}` } : undefined;
    await expect(store.list("")).rejects.toMatchObject({ kind: "store" });
  });
});

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DirectTransfer, SignedRequest } from "../../../src/core/ports/direct-transfer.ts";
import type { ObjectStore } from "../../../src/core/ports/store.ts";
import { s3Store } from "../../../src/providers/stores/s3.ts";
import { startConditionalProxy } from "../../support/conditional-proxy.ts";
import { type S3Server, type TestBucket, testBucket } from "../../support/s3-server.ts";
import { startSwift, swiftIsInstalled } from "../../support/swift.ts";

const MIB = 1024 * 1024;

describe.skipIf(!(await swiftIsInstalled()))("direct transfer by curl, without credentials", () => {
  let swift: S3Server;
  let bucket: TestBucket;
  let store: ObjectStore;
  let direct: DirectTransfer;
  let folder: string;
  beforeAll(async () => {
    swift = await startSwift();
    bucket = await testBucket(swift);
    store = s3Store(bucket.settings);
    direct = store.direct as DirectTransfer;
    folder = await mkdtemp(join(tmpdir(), "summit-direct-"));
  });
  afterAll(async () => {
    await swift?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** curl as it runs on a machine: the URL comes on standard input, the environment is empty. */
  const curl = async ({ url, headers }: SignedRequest, ...args: string[]) =>
    await execa("curl", ["-sS", "-K", "-", "-w", "%{http_code}", ...args], {
      input: [
        `url = "${url.reveal()}"`,
        ...Object.entries(headers).map(([name, value]) => `header = "${name}: ${value}"`),
      ]
        .map((line) => `${line}\n`)
        .join(""),
      env: { PATH: process.env["PATH"] ?? "" },
      extendEnv: false,
    });

  async function send(request: SignedRequest, bytes: Buffer): Promise<{ status: string; etag: string }> {
    const file = join(folder, randomBytes(6).toString("hex"));
    await writeFile(file, bytes);
    const { stdout } = await curl(request, "-T", file, "-D", `${file}.headers`, "-o", "/dev/null");
    const headers = await readFile(`${file}.headers`, "utf8");
    return { status: stdout, etag: /^etag: *(\S+)/im.exec(headers)?.[1] ?? "" };
  }

  const md5Of = (bytes: Buffer): string => createHash("md5").update(bytes).digest("base64");

  test("parts of any size in any order become the object, whole", async () => {
    const bytes = [randomBytes(6 * MIB), randomBytes(5 * MIB), randomBytes(1000)];
    const upload = await direct.begin("direct/x");
    const parts = [];
    for (const number of [2, 3, 1]) {
      const body = bytes[number - 1] as Buffer;
      const request = await direct.signPart(upload, { number, size: body.length, md5: md5Of(body) });
      const { status, etag } = await send(request, body);
      expect(status).toBe("200");
      parts.push({ number, size: body.length, etag });
    }
    expect(await store.head("direct/x")).toBeUndefined();
    parts.sort((a, b) => a.number - b.number);
    const all = Buffer.concat(bytes);
    expect(await direct.complete(upload, parts)).toMatchObject({ key: "direct/x", size: all.length });
    expect((await buffer(await store.get("direct/x"))).equals(all)).toBe(true);
    expect(await bucket.uploads()).toEqual([]);
  });

  test("a URL sends that part of that length with that sum, and nothing else", async () => {
    const upload = await direct.begin("direct/bound");
    const body = randomBytes(1000);
    const request = await direct.signPart(upload, { number: 1, size: 1000, md5: md5Of(body) });
    const other = await send(request, randomBytes(1000));
    const longer = await send(request, Buffer.concat([body, body]));
    const unsaid = await send({ ...request, headers: {} }, body);
    expect([other.status, longer.status, unsaid.status]).toEqual(["400", "403", "403"]);
    const moved = request.url.reveal().replace("partNumber=1", "partNumber=2");
    const elsewhere = await send({ ...request, url: { ...request.url, reveal: () => moved } as never }, body);
    expect(elsewhere.status).toBe("403");
    expect((await send(request, body)).status).toBe("200");
    await direct.abort(upload);
    await direct.abort(upload);
    expect((await send(request, body)).status).toBe("404");
    expect(await bucket.uploads()).toEqual([]);
  });

  test("a URL that has expired sends nothing", async () => {
    const upload = await direct.begin("direct/late");
    const request = await direct.signPart(upload, { number: 1, size: 5 }, 1);
    await expect.poll(async () => (await send(request, Buffer.from("hello"))).status, POLL).toBe("403");
    await direct.abort(upload);
  });

  test("a range is fetched, that one and no other", async () => {
    const body = randomBytes(100_000);
    await store.put("direct/read", body);
    const request = await direct.signGet("direct/read", { offset: 500, length: 2000 });
    const file = join(folder, "range");
    expect((await curl(request, "-o", file)).stdout).toBe("206");
    expect((await readFile(file)).equals(body.subarray(500, 2500))).toBe(true);
    const wider = { url: request.url, headers: { Range: "bytes=0-99999" } };
    expect((await curl(wider, "-o", "/dev/null")).stdout).toBe("403");
    expect((await curl({ url: request.url, headers: {} }, "-o", "/dev/null")).stdout).toBe("403");
    const whole = await direct.signGet("direct/read");
    expect((await curl(whole, "-o", file)).stdout).toBe("200");
    expect((await readFile(file)).equals(body)).toBe(true);
  });

  test("a URL prints as [redacted], and an upload can be kept as JSON", async () => {
    const upload = await direct.begin("direct/kept");
    expect(JSON.stringify(await direct.signPart(upload, { number: 1, size: 1 }))).toContain('"[redacted]"');
    const kept = JSON.parse(JSON.stringify(upload));
    const { etag } = await send(await direct.signPart(kept, { number: 1, size: 1 }), Buffer.from("x"));
    expect(await direct.complete(kept, [{ number: 1, size: 1, etag }])).toMatchObject({ size: 1 });
  });

  test.each<[string, (etag: string) => { number: number; size: number; etag: string }[]]>([
    ["an ETag that the store never gave", () => [{ number: 1, size: 4, etag: '"00000000000000000000000000000000"' }]],
    ["an ETag that is no ETag", () => [{ number: 1, size: 4, etag: "</ETag><x>" }]],
    ["a part that is missing", (etag) => [{ number: 2, size: 4, etag }]],
    ["no parts", () => []],
    ["a size that is not the object's", (etag) => [{ number: 1, size: 5, etag }]],
  ])("%s: kind store, no object, no upload", async (_, partsOf) => {
    const upload = await direct.begin("direct/wrong");
    const { etag } = await send(await direct.signPart(upload, { number: 1, size: 4 }), Buffer.from("good"));
    await expect(direct.complete(upload, partsOf(etag))).rejects.toMatchObject({ kind: "store" });
    expect(await store.head("direct/wrong")).toBeUndefined();
    expect(await bucket.uploads()).toEqual([]);
  });

  test("a key that is there is not begun, and one that somebody made meanwhile is not completed", async () => {
    await using proxy = await startConditionalProxy(swift);
    const other = await testBucket(swift, proxy.endpoint);
    for (const asked of [store, s3Store(other.settings)]) {
      const transfer = asked.direct as DirectTransfer;
      const upload = await transfer.begin("direct/once");
      // Through the proxy a signed URL would need the header that it takes out, so the part goes to the server.
      const { url } = await transfer.signPart(upload, { number: 1, size: 4 });
      const sent =
        asked === store ? await send({ url, headers: {} }, Buffer.from("late")) : await viaClient(other, upload);
      await asked.put("direct/once", Buffer.from("first"));
      await expect(transfer.begin("direct/once")).rejects.toMatchObject({ kind: "check" });
      const part = { number: 1, size: 4, etag: sent.etag };
      await expect(transfer.complete(upload, [part])).rejects.toMatchObject({ kind: "check" });
      expect((await buffer(await asked.get("direct/once"))).toString()).toBe("first");
    }
    expect([await bucket.uploads(), await other.uploads()]).toEqual([[], []]);
  });

  test("parts beyond the server's limit are refused before anything is sent", async () => {
    const upload = await direct.begin("direct/many");
    expect(upload.maxParts).toBe(1000);
    expect(direct.partSize(upload, 1)).toBe(16 * MIB);
    expect(direct.partSize(upload, 1000)).toBeGreaterThan(16 * MIB);
    await expect(direct.signPart(upload, { number: 1001, size: 1 })).rejects.toMatchObject({ kind: "store" });
    await direct.abort(upload);
  });
});

const POLL = { timeout: 8000, interval: 300 };

async function viaClient({ client, settings }: TestBucket, upload: { id: string; key: string }) {
  const { UploadPartCommand } = await import("@aws-sdk/client-s3");
  const { ETag = "" } = await client.send(
    new UploadPartCommand({
      Bucket: settings.bucket,
      Key: `${settings.prefix}/${upload.key}`,
      UploadId: upload.id,
      PartNumber: 1,
      Body: Buffer.from("late"),
    }),
  );
  return { etag: ETag };
}

import { createHash } from "node:crypto";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpGet } from "../../src/providers/http/get.ts";
import { type DemoPages, fetchSchedule } from "../../src/recovery/demo-pages.ts";
import { LiveProject } from "../support/live-project.ts";
import { podmanAvailable } from "../support/podman.ts";
import { type S3Server, type TestBucket, testBucket } from "../support/s3-server.ts";
import { startSwift } from "../support/swift.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** An address of this computer that its containers reach too, by their default route, and nobody else. */
const ADDRESS = "10.219.219.1";

const http = httpGet(new AbortController().signal);

describe.skipIf(!podmanAvailable)("everything in an S3 store", () => {
  let server: S3Server;
  let proxy: TcpProxy;
  let bucket: TestBucket;
  let live: LiveProject;
  let page: DemoPages;
  let rows: string;

  beforeAll(async () => {
    await execa("ip", ["addr", "replace", `${ADDRESS}/32`, "dev", "lo"]);
    server = await startSwift();
    proxy = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(server.endpoint).port) }, 0, ADDRESS);
    bucket = await testBucket(server);
    const endpoint = `http://${ADDRESS}:${proxy.port}`;
    const store = { url: bucket.settings.url, endpoint, region: "us-east-1", path_style: true };
    live = await LiveProject.open("", JSON.stringify([store]));
    const { urls } = await live.must(["bootstrap", "-e", "production"]);
    const load = ["sudo", "manage-summit", "generate_schedule", "--size", "100MB", "--seed", "1"];
    await live.on("production", "summit/0", load);
    page = await fetchSchedule(urls[0], http);
    rows = await sortedDump("production");
  });
  afterAll(async () => {
    await live?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await execa("ip", ["addr", "del", `${ADDRESS}/32`, "dev", "lo"], { reject: false });
  });

  /** Hash of the dump's lines: in a table of many pages a row may come back on another one than its neighbours. */
  const sortedDump = async (environment: string): Promise<string> =>
    createHash("sha256")
      .update((await live.dump(environment, "pg_dump", "summit")).split("\n").sort().join("\n"))
      .digest("hex");

  test("a backup goes straight from the machine to the store, and nothing of it is left on the machine", async () => {
    const { exit, events, last } = await live.run(["backup", "--json"]);
    expect(exit).toBe(0);
    expect(events).toContainEqual(
      expect.objectContaining({
        task: "dump summit",
        state: "done",
        text: expect.stringMatching(/straight to the store$/),
      }),
    );
    expect(last.manifest.members[0].stored.parts.length).toBeGreaterThan(1);
    expect(await bucket.uploads()).toEqual([]);
    const left = [
      "sh",
      "-c",
      "ls -d /tmp/summitctl-* 2>/dev/null; grep -rsl -e X-Am[z] -e AWS[_] /proc/[0-9]*/environ; true",
    ];
    expect(await live.on("production", "postgresql/0", ["sudo", ...left])).toBe("");
  });

  test("failover: from the store into the other environment, the same page, the same rows", async () => {
    await live.cut("production");
    const result = await live.must(["failover", "--yes"]);
    expect(result).toMatchObject({ schema: "summitctl.failover.v1" });
    const { last } = await live.run(["status", "--json"]);
    expect(last).toMatchObject({ liveEnvironment: "spare", generation: 2 });
    expect((await fetchSchedule(last.address.urls[0], http, page.schedule)).html).toBe(page.html);
    expect(await sortedDump("spare")).toBe(rows);
    expect(await bucket.uploads()).toEqual([]);
  });

  test("backups verify reads all of it back; the list says so", async () => {
    const verified = await live.run(["backups", "verify", "latest", "--json"]);
    expect([verified.exit, verified.stdout.slice(-500)]).toEqual([0, expect.any(String)]);
    expect((await live.run(["backups", "list"])).stdout).toMatch(/verified .* by read/);
  });
});

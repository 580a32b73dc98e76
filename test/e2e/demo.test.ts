import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpGet } from "../../src/providers/http/get.ts";
import { DEMO_PROJECT } from "../../src/recovery/demo-project.ts";
import { endAt, runCli } from "../support/live-project.ts";
import { leftOf, removeProject } from "../support/podman.ts";

const DEMO = ["demo", "--size", "1MB"] as const;
const http = httpGet(new AbortController().signal);

let state: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "summit-demo-"));
  env = { ...process.env, XDG_STATE_HOME: state };
});
afterAll(async () => {
  await removeProject(DEMO_PROJECT);
  await rm(state, { recursive: true, force: true });
});

/** The login key is the user's, not the demo's. */
const ownFiles = async () => (await readdir(join(state, "summitctl"))).filter((name) => name === "demo");

test("everything is lost, and every row and the page come back; nothing stays behind", async () => {
  const { exit, last, stdout } = await runCli([...DEMO, "--json"], env);
  expect(exit, stdout.slice(-2000)).toBe(0);
  expect(last).toMatchObject({ schema: "summitctl.demo.v1", pageEqual: true, urls: [] });
  expect(last.rowsTotal).toBeGreaterThan(1000);
  expect(last.rowsEqual).toBe(last.rowsTotal);
  expect(last.recoveredSeconds).toBeGreaterThan(0);
  expect(last.failover.map(({ name }: { name: string }) => name)).toContain("address");
  expect(await leftOf(DEMO_PROJECT)).toEqual([]);
  expect(await ownFiles()).toEqual([]);
});

test("Ctrl-C in the middle of the failover takes everything away", async () => {
  const { exit, last } = await runCli([...DEMO, "--json"], env, { onEvent: endAt(/^restore summit/, "SIGINT") });
  expect(exit).toBe(130);
  expect(last).toMatchObject({ schema: "summitctl.error.v1", kind: "interrupted" });
  expect(await leftOf(DEMO_PROJECT)).toEqual([]);
  expect(await ownFiles()).toEqual([]);
});

test("after kill -9 the next demo cleans up first; with --keep it stays until it is taken away as printed", async () => {
  const killed = await runCli([...DEMO, "--json"], env, { onEvent: endAt("load 1MB", "SIGKILL") });
  expect(killed.exit).toBe(137);
  expect((await leftOf(DEMO_PROJECT)).length).toBeGreaterThan(4);

  const { exit, stdout, stderr } = await runCli([...DEMO, "--keep"], env);
  expect(exit, stderr.slice(-2000)).toBe(0);
  expect(stderr).toContain("remove what an earlier demo left");
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^recovered in [\d.]+ s, data age [\d.]+ s, (\d+) of \1 rows$/);

  const urls =
    /left running: (.*)/
      .exec(stdout)?.[1]
      ?.split(" ")
      .filter((url) => url.startsWith("http://")) ?? [];
  expect(urls.length).toBeGreaterThan(0);
  for (const url of urls) expect((await http({ url, timeout: 10 })).status).toBe(200);

  const lines = /take it away: (.*)/.exec(stdout)?.[1]?.split(" && ") ?? [];
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    const [program, ...args] = line.split(" ");
    expect(program).toBe("summitctl");
    expect((await runCli(args, env)).exit).toBe(0);
  }
  expect(await leftOf(DEMO_PROJECT)).toEqual([]);
});

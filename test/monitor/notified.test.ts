import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { NotifyConfig } from "../../src/config/schedule-types.ts";
import { SummitError } from "../../src/core/errors.ts";
import type { Output } from "../../src/core/ports/output.ts";
import { Secret } from "../../src/core/secret.ts";
import { runNotified } from "../../src/monitor/notified.ts";
import { notifier, type Outcome } from "../../src/monitor/notify.ts";
import { runNotifyCommand } from "../../src/monitor/notify-command.ts";
import { httpPost } from "../../src/providers/http/post.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { pingServer } from "../support/ping-server.ts";

const NOBODY: NotifyConfig = { ping: undefined, webhook: undefined, command: undefined, on: "failure" };
const OUTCOME: Outcome = {
  job: "backup",
  project: "summit",
  environment: "production",
  exit: 0,
  startedAt: "2026-11-22T14:38:00.000Z",
  seconds: 41,
  lines: ["dump summit: done"],
};

const depsOf = (secrets: Record<string, string> = {}) => {
  const out = fakeOutput();
  return {
    out,
    post: httpPost,
    now: () => new Date("2026-11-22T14:38:00Z"),
    secret: async (name: string) => {
      const value = secrets[name];
      if (value === undefined) throw new SummitError("config", `summit.yaml names no secret "${name}"`);
      return new Secret(value);
    },
  };
};

const job = (notify: NotifyConfig, run: (out: Output) => Promise<string>) => ({
  job: "backup",
  config: { project: "summit", notify },
  environment: () => "production",
  run,
  line: (id: string) => `backup ${id}`,
});

test("the switch is told of the start and of success, in this order and with one id", async () => {
  await using server = await pingServer();
  const deps = depsOf({ ping_url: `${server.url}/?create=1\n` });
  const run = async (out: Output) => {
    out.task("dump summit").done("lbzip2");
    out.warn("the disk gets full");
    return "B1";
  };
  expect(await runNotified(job({ ...NOBODY, ping: { secret: "ping_url" } }, run), deps)).toBe("B1");
  const [start, end, ...more] = server.heard;
  expect(more).toEqual([]);
  expect(start).toMatchObject({ method: "POST", path: expect.stringMatching(/^\/ping\/s3cr3t\/start\?create=1&rid=/) });
  expect(end?.path).toBe(start?.path.replace("/start?", "/0?"));
  expect(end?.body).toBe(
    "backup of summit/production succeeded after 0 s, begun 2026-11-22T14:38:00.000Z\ndump summit: lbzip2\nwarning: the disk gets full\nbackup B1\n",
  );
  expect(deps.out.tasks[0]?.text).toBe("lbzip2");
  expect(deps.out.warnings).toEqual(["the disk gets full"]);
});

test("the end is not told before the start, however often that must be tried", async () => {
  await using server = await pingServer();
  server.answers.push(503);
  const ping = { url: new Secret(server.url) };
  await runNotified(
    job({ ...NOBODY, ping }, async () => "B1"),
    depsOf(),
  );
  const ends = server.heard.map(({ path }) => path.replace(/.*\/|\?.*/g, ""));
  expect(ends).toEqual(["start", "start", "0"]);
});

test("a failure is told with its exit code and last lines, to all, and is thrown", async () => {
  await using server = await pingServer();
  const folder = await mkdtemp(join(tmpdir(), "summitctl-notify-"));
  const mail = join(folder, "mail");
  const deps = depsOf();
  const url = { url: new Secret(server.url) };
  const notify: NotifyConfig = {
    ping: url,
    webhook: { url: new Secret(server.url.replace("ping", "hook")) },
    command: ["sh", "-c", `{ echo "$SUMMIT_STATUS $SUMMIT_EXIT $SUMMIT_ENVIRONMENT"; cat; } > ${mail}`],
    on: "failure",
  };
  const failure = new SummitError("store", "the store is full", { details: ["HTTP 507"], hint: "df -h" });
  await expect(
    runNotified(
      job(notify, () => Promise.reject(failure)),
      deps,
    ),
  ).rejects.toBe(failure);
  const byPath = (part: string) => server.heard.find(({ path }) => path.includes(part));
  expect(byPath("/ping/s3cr3t/7?")?.body).toContain("FAILED with exit code 7");
  expect(byPath("/ping/s3cr3t/7?")?.body).toContain("error: the store is full\n  HTTP 507\nhint: df -h\n");
  expect(byPath("/hook/")?.type).toBe("application/json");
  expect(JSON.parse(byPath("/hook/")?.body ?? "")).toMatchObject({
    schema: "summitctl.notification.v1",
    status: "failure",
    exit: 7,
    environment: "production",
    lines: ["error: the store is full", "  HTTP 507", "hint: df -h"],
  });
  expect(await readFile(mail, "utf8")).toMatch(/^failure 7 production\nbackup of summit\/production FAILED/);
  expect(deps.out.warnings).toEqual([]);
  await rm(folder, { recursive: true });
});

test("on success webhook and command are told with on: always only", async () => {
  await using server = await pingServer();
  const webhook = { url: new Secret(server.url) };
  await notifier({ ...NOBODY, webhook, command: ["false"] }, depsOf()).end(OUTCOME);
  expect(server.heard).toEqual([]);
  await notifier({ ...NOBODY, webhook, on: "always" }, depsOf()).end(OUTCOME);
  expect(server.heard).toHaveLength(1);
});

test("a server that stumbles once is asked again", async () => {
  await using server = await pingServer();
  server.answers.push(503);
  const deps = depsOf();
  await notifier({ ...NOBODY, ping: { url: new Secret(server.url) } }, deps).end(OUTCOME);
  expect(server.heard).toHaveLength(2);
  expect(deps.out.warnings).toEqual([]);
});

test.each([
  ["500 for ever", [500, 500], "the ping could not be told: the answer was HTTP 500", 2],
  ["404", [404], "the ping could not be told: the answer was HTTP 404", 1],
  ["stalled", ["stall", "stall"], "the ping could not be told: no answer: none within 0.2 s", 2],
] as const)("%s is one warning without the URL", async (_name, answers, warning, attempts) => {
  await using server = await pingServer();
  server.answers.push(...answers);
  const deps = depsOf();
  await notifier({ ...NOBODY, ping: { url: new Secret(server.url) } }, deps, { timeout: 0.2 }).end(OUTCOME);
  expect(deps.out.warnings).toEqual([warning]);
  expect(server.heard).toHaveLength(attempts);
});

test("an answer without end is not read", async () => {
  await using server = await pingServer();
  server.answers.push("trickle");
  const deps = depsOf();
  await notifier({ ...NOBODY, ping: { url: new Secret(server.url) } }, deps).end(OUTCOME);
  expect(deps.out.warnings).toEqual([]);
});

test.each([
  ["nobody listens", { url: new Secret("http://127.0.0.1:9/s3cr3t") }, "no answer: ECONNREFUSED"],
  ["no such host", { url: new Secret("http://s3cr3t.invalid/") }, "no answer: E"],
  ["a secret that is no URL", { secret: "bad" }, "the secret bad holds no http or https URL"],
  ["a secret that is not there", { secret: "gone" }, `summit.yaml names no secret "gone"`],
])("%s: the job goes on, and nothing of the URL is said", async (_name, ping, words) => {
  const deps = depsOf({ bad: "s3cr3t" });
  expect(
    await runNotified(
      job({ ...NOBODY, ping }, async () => "B1"),
      deps,
    ),
  ).toBe("B1");
  expect(deps.out.warnings).toHaveLength(2);
  for (const warning of deps.out.warnings) {
    expect(warning).toContain(`the ping could not be told: ${words}`);
    expect(warning).not.toContain("s3cr3t");
  }
});

test("a command that fails, is not there or does not end is a warning each", async () => {
  const deps = depsOf();
  const fail = { ...OUTCOME, exit: 1 };
  await notifier({ ...NOBODY, command: ["sh", "-c", "exit 3"] }, deps).end(fail);
  await notifier({ ...NOBODY, command: ["/no/such/mail"] }, deps).end(fail);
  expect(deps.out.warnings[0]).toBe(`the notify command could not be told: "sh" ended with exit status 3`);
  expect(deps.out.warnings[1]).toContain("could not be started: ");
  await expect(runNotifyCommand(["sleep", "20"], fail, "", 0.1)).rejects.toThrow(`"sleep" did not end within 0.1 s`);
});

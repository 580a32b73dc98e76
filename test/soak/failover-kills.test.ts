import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpGet } from "../../src/providers/http/get.ts";
import { type DemoPages, fetchSchedule } from "../../src/recovery/demo-pages.ts";
import { endAt, LiveProject } from "../support/live-project.ts";

// Each round fails over from the environment that serves to the other one, is killed once, and is run again.

const http = httpGet(new AbortController().signal);
const FAILOVER = ["failover", "--force", "--reason", "the next round", "--yes", "--json"] as const;

let live: LiveProject;
let url: string;
let page: DemoPages;
let dump: string;

beforeAll(async () => {
  live = await LiveProject.open();
  const { urls } = await live.must(["bootstrap", "-e", "production"]);
  url = urls[0];
  await live.on("production", "summit/0", [
    "sudo",
    "manage-summit",
    "generate_schedule",
    "--size",
    "2MB",
    "--seed",
    "1",
  ]);
  await live.must(["backup"]);
  page = await fetchSchedule(url, http);
  dump = await live.dump("production", "pg_dump", "summit");
});
afterAll(() => live?.[Symbol.asyncDispose]());

/** Which environment serves, and the other one, made fresh: what a failed round left is no trouble of the next. */
async function nextRound(): Promise<{ from: string; to: string; generation: number }> {
  const { last } = await live.run(["status", "--json"]);
  const from: string = last.liveEnvironment;
  const to = from === "production" ? "spare" : "production";
  await live.must(["destroy", "-e", to, "--confirm", to]);
  return { from, to, generation: last.generation };
}

/** Titles of tasks whose start is waited for, and milliseconds after it. */
const MOMENTS: readonly (readonly [title: RegExp, delay: number])[] = [
  [/ postgresql\/0$/, 0],
  [/ postgresql\/0$/, 400],
  [/ postgresql\/0$/, 1200],
  [/ postgresql\/0$/, 3000],
  [/^restore roles/, 0],
  [/^restore summit/, 0],
  [/^restore summit/, 300],
  [/^indexes and constraints of summit/, 0],
  [/^check summit/, 0],
  [/^check summit/, 700],
  [/^check summit/, 1500],
  [/^check summit/, 2500],
  [/^check summit/, 4000],
  [/^check summit/, 6000],
  [/^dump summit/, 0],
  [/^dump roles/, 0],
];

const ROUNDS = [
  ...MOMENTS.map((moment) => ["SIGKILL", ...moment] as const),
  ...MOMENTS.filter((_moment, index) => index % 4 === 1).map((moment) => ["SIGINT", ...moment] as const),
];

describe("a failover that is cut", () => {
  test.each(ROUNDS)("by %s at %s + %i ms: run again, it ends as if nothing had been", async (signal, title, delay) => {
    const { from, to, generation } = await nextRound();
    const first = await live.run(FAILOVER, { onEvent: endAt(title, signal, delay) });
    // The last moments may come after the end.
    const cut = first.exit !== 0;
    if (cut) {
      expect(first.exit, first.stdout).toBe(signal === "SIGKILL" ? 137 : 130);
      const { exit, stdout } = await live.run(FAILOVER);
      expect(exit, stdout.slice(-3000)).toBe(0);
    }
    const { last } = await live.run(["status", "--json"]);
    expect(last).toMatchObject({ liveEnvironment: to, generation: generation + 1 });
    expect((await fetchSchedule(url, http, page.schedule)).html).toBe(page.html);
    expect(await live.dump(to, "pg_dump", "summit")).toBe(dump);
    expect(await live.holder(new URL(url).hostname)).toEqual([live.machine(to, "haproxy/0")]);
    expect((await live.containers(to)).filter((line) => line.endsWith(" running"))).toHaveLength(4);
    expect((await live.containers(from)).filter((line) => line.endsWith(" running"))).toEqual([]);
    expect(await live.temporary()).toEqual([]);
    console.log(`${signal} at ${title.source} + ${delay} ms: ${cut ? "cut, recovered" : "came too late"}`);
  });
});

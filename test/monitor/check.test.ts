import { expect, test } from "vitest";
import { SummitError } from "../../src/core/errors.ts";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { runCheck } from "../../src/monitor/check.ts";
import { lastBackup } from "../../src/schedule/last-backup.ts";
import { configOf, HEAD } from "../config/config-fixture.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { memoryStore } from "../support/memory-store.ts";
import { keepSample } from "../support/stored-sample.ts";

const HOURLY = `${HEAD}schedule: { backup: "15 * * * *" }\n`;

async function check(text: string, stores: readonly [ObjectStore, ...ObjectStore[]], now: Date) {
  const signal = new AbortController().signal;
  const deps = { stores: async () => stores, now: () => now, out: fakeOutput(), signal };
  const result = await runCheck({ config: async () => configOf(text), environment: undefined }, deps);
  return { result, out: deps.out };
}

test("what the store holds is what counts, by its own clock", async () => {
  let clock = new Date("2026-11-22T14:39:10Z");
  const store = memoryStore({ now: () => clock });
  const { id } = await keepSample(store, { project: "summit" });
  const wrong = new Date("1999-01-01T00:00:00Z");
  clock = new Date("2026-11-22T15:38:00Z");
  const fresh = await check(HOURLY, [store], wrong);
  expect(fresh.result.findings).toEqual([]);
  expect(fresh.result).toMatchObject({ state: "OK", newest: { id, stores: [store.url] } });
  expect(fresh.result.limits).toMatchObject({ warnAge: 5400, critAge: 8100, sizeDrop: 50 });
  expect(fresh.out.warnings).toEqual([]);
  clock = new Date("2026-11-22T17:38:00Z");
  expect((await check(HOURLY, [store], wrong)).result.state).toBe("CRITICAL");
  expect((await check(`${HEAD}check: { warn_age: 2h, crit_age: 4h }\n`, [store], wrong)).result.state).toBe("WARNING");
  expect((await check(HEAD, [store], wrong)).result.state).toBe("OK");
});

test("when a backup last ran is read from the store, put right by the difference of the clocks", async () => {
  const store = memoryStore({ now: () => new Date("2026-11-22T15:00:00Z") });
  const { id } = await keepSample(store, { project: "summit" });
  const place = { project: "summit", environment: "production" };
  const last = (now: string) => lastBackup(place, { stores: async () => [store], now: () => new Date(now) });
  expect(await last("2026-11-22T15:00:00Z")).toEqual({ id, at: new Date("2026-11-22T14:38:00.200Z") });
  expect(await last("2026-11-23T18:00:00Z")).toEqual({ id, at: new Date("2026-11-23T17:38:00.200Z") });
  const behind = memoryStore({ now: () => new Date("2026-11-22T09:00:00Z") });
  await keepSample(behind, { project: "summit" });
  // It claims to be of six hours from now.
  expect(await lastBackup(place, { stores: async () => [behind], now: () => new Date("2026-11-22T09:00:00Z") })).toBe(
    undefined,
  );
});

test("an empty store is CRITICAL", async () => {
  const { result } = await check(HOURLY, [memoryStore()], new Date());
  expect(result).toMatchObject({ state: "CRITICAL", newest: null });
});

test("a store that fails is a finding, not an error, and no talk beside the one line", async () => {
  const list = () => Promise.reject(new SummitError("store", "no route to it"));
  const gone: ObjectStore = { ...memoryStore(), list };
  const { result, out } = await check(HOURLY, [gone], new Date());
  expect(result.state).toBe("CRITICAL");
  expect(result.findings[0]?.message).toContain("no route to it");
  expect(out.warnings).toEqual([]);
});

test("a summit.yaml that is wrong is UNKNOWN, with the problem", async () => {
  const deps = {
    stores: async () => {
      throw new Error("not asked");
    },
    now: () => new Date(),
    out: fakeOutput(),
    signal: new AbortController().signal,
  };
  const config = async () => {
    throw new SummitError("config", "summit.yaml has 1 problem", { details: ["summit.yaml:3: stores: missing"] });
  };
  expect(await runCheck({ config, environment: undefined }, deps)).toMatchObject({
    state: "UNKNOWN",
    findings: [{ message: "summit.yaml has 1 problem; summit.yaml:3: stores: missing" }],
  });
});

test("an environment that is not in summit.yaml is UNKNOWN", async () => {
  const deps = {
    stores: async () => [memoryStore()] as const,
    now: () => new Date(),
    out: fakeOutput(),
    signal: new AbortController().signal,
  };
  const result = await runCheck({ config: async () => configOf(HEAD), environment: "prodction" }, deps);
  expect(result.state).toBe("UNKNOWN");
  expect(result.findings[0]?.message).toContain("prodction");
});

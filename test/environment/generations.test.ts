import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ObjectStore } from "../../src/core/ports/store.ts";
import { commitGeneration, liveGeneration } from "../../src/environment/generations.ts";
import { fileStore } from "../../src/providers/stores/file.ts";

describe("generations", () => {
  let folder: string;
  let store: ObjectStore;
  const commit = (environment: string, previous?: Awaited<ReturnType<typeof liveGeneration>>) =>
    commitGeneration(
      store,
      "conference",
      { environment, reason: "test", committedAt: "2026-11-22T14:38:00Z" },
      previous,
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-generations-"));
    store = fileStore(`file://${folder}`);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("the newest is live, by number, not by name", async () => {
    expect(await liveGeneration(store, "conference")).toBeUndefined();
    let live = await commit("production");
    for (let number = 2; number <= 11; number += 1)
      live = await commit(number % 2 === 0 ? "spare" : "production", live);
    expect(await liveGeneration(store, "conference")).toMatchObject({ number: 11, environment: "production" });
    expect(await liveGeneration(store, "conf")).toBeUndefined();
  });

  test("of two commits after the same generation one wins, the other is told", async () => {
    const live = await commit("production");
    const results = await Promise.allSettled([commit("spare", live), commit("production", live)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({
      kind: "locked",
      message: "generation 2 was committed by somebody else meanwhile",
    });
  });

  test.each([
    ["{", "store"],
    ['{"schema":"summitctl.generation.v2"}', "check"],
    ["null", "check"],
  ])("a generation with %j is refused with a hint", async (text, kind) => {
    await commit("production");
    await writeFile(join(folder, "conference/_state/generations/1.json"), text);
    await expect(liveGeneration(store, "conference")).rejects.toMatchObject({ kind, hint: expect.any(String) });
  });
});

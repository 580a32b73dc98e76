import { afterAll, beforeAll, expect, test } from "vitest";
import { type Engine, findEngine } from "../../src/providers/machines/local/engine.ts";
import { baseImage, removeLeftovers } from "../../src/providers/machines/local/images.ts";

const PROJECT = `leftovers-${process.pid}`;
// No process has so high a number.
const DEAD = 99_999_999;
const machine = `summit-${PROJECT}-production-postgresql-0`;
const leftover = `summitctl-build-${DEAD}-${PROJECT}`;
const running = `summitctl-build-${process.ppid}-${PROJECT}`;

let engine: Engine;
beforeAll(async () => {
  engine = await findEngine("auto");
  const task = { progress: () => undefined, done: () => undefined, fail: () => undefined };
  const settings = { from: "debian:12", mirror: undefined, signal: new AbortController().signal };
  const { image } = await baseImage(engine, settings, task);
  for (const name of [machine, leftover, running]) {
    // What images that were committed from a build container hand on to every machine.
    await engine.must(["create", "--name", name, "--label", `io.summitctl.build=${DEAD}`, image, "/bin/true"]);
  }
});
afterAll(async () => {
  for (const name of [machine, leftover, running]) await engine.run(["rm", "-f", name]);
});

test("cleaning up after builds removes those whose process is gone, and never a machine", async () => {
  await removeLeftovers(engine);
  const listed = await engine.must(["ps", "-a", "--filter", `name=${PROJECT}`, "--format", "{{.Names}}"]);
  expect(
    listed
      .split("\n")
      .filter((name) => name.includes(PROJECT))
      .sort(),
  ).toEqual([machine, running].sort());
});

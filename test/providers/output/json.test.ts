import { expect, test } from "vitest";
import { JsonOutput } from "../../../src/providers/output/json.ts";
import { CapturedStream } from "../../support/captured-stream.ts";

function setUp({ verbose = false } = {}) {
  const stdout = new CapturedStream();
  const clock = { ms: Date.UTC(2026, 10, 22, 14, 38) };
  const out = new JsonOutput({ stdout, verbose, now: () => new Date(clock.ms) });
  const lines = () =>
    stdout.text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return { out, clock, lines };
}

const EVENT = { schema: "summitctl.event.v1", time: "2026-11-22T14:38:00.000Z" };

test("the result is the last line, whatever ends after it, and nothing else is on it", () => {
  const { out, lines } = setUp();
  const task = out.task("late");
  out.result({ schema: "summitctl.backups.v1", backups: [] }, () => []);
  task.done();
  out.close();
  expect(lines().at(-1)).toEqual({ schema: "summitctl.backups.v1", backups: [] });
  expect(lines()).toHaveLength(3);
});

test("a second result is refused", () => {
  const { out } = setUp();
  out.result({ schema: "summitctl.a.v1" }, () => []);
  expect(() => out.result({ schema: "summitctl.b.v1" }, () => [])).toThrow("one result");
});

test("notes and warnings are events, debug lines only with -v", () => {
  const { out, lines } = setUp();
  out.note("one");
  out.warn("two\u001b");
  out.debug("three");
  expect(lines()).toEqual([
    { ...EVENT, level: "note", message: "one" },
    { ...EVENT, level: "warning", message: "two\u001b" },
  ]);
  const verbose = setUp({ verbose: true });
  verbose.out.debug("three");
  expect(verbose.lines()).toEqual([{ ...EVENT, level: "debug", message: "three" }]);
});

test("progress is told at most once a second per task, and the end carries the last of it", () => {
  const { out, clock, lines } = setUp();
  const a = out.task("a");
  const b = out.task("b");
  for (let step = 1; step <= 30; step += 1) {
    clock.ms += 100;
    a.progress({ bytes: step, total: 30 });
    b.progress({ text: `step ${step}` });
  }
  a.done("complete");
  a.fail("too late");
  const of = (id: number) =>
    lines()
      .filter((line) => line.id === id)
      .map(({ state, bytes, text }) => ({ state, bytes, text }));
  expect(of(1)).toEqual([
    { state: "started" },
    { state: "progress", bytes: 10 },
    { state: "progress", bytes: 20 },
    { state: "progress", bytes: 30 },
    { state: "done", bytes: 30, text: "complete" },
  ]);
  expect(of(2)).toHaveLength(4);
  expect(lines().find((line) => line.state === "done")).toMatchObject({ task: "a", total: 30, seconds: 3 });
});

test("a task that the command left behind failed", () => {
  const { out, lines } = setUp();
  out.task("a");
  out.close();
  expect(lines().at(-1)).toMatchObject({ task: "a", state: "failed", text: "stopped" });
});

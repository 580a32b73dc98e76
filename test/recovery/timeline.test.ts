import { expect, test } from "vitest";
import { Timeline } from "../../src/recovery/timeline.ts";

function clock() {
  let ms = Date.UTC(2026, 10, 22);
  const pass = (seconds: number): void => {
    ms += seconds * 1000;
  };
  return { now: () => new Date(ms), pass };
}

test("each step is recorded with when it began and ended, in seconds after the start", async () => {
  const { now, pass } = clock();
  const timeline = new Timeline(now);
  pass(1);
  const made = timeline.record("machines", async () => {
    pass(3);
    return "made";
  });
  expect(await made).toBe("made");
  pass(0.5);
  await timeline.record("address", async () => pass(2));
  expect(timeline.moments).toEqual([
    { name: "machines", from: 1, to: 4 },
    { name: "address", from: 4.5, to: 6.5 },
  ]);
  expect(timeline.seconds()).toBe(6.5);
});

test("a step that fails is recorded too, and fails", async () => {
  const { now, pass } = clock();
  const timeline = new Timeline(now);
  const step = async () => {
    pass(2);
    throw new Error("cut");
  };
  await expect(timeline.record("restore", step)).rejects.toThrow("cut");
  expect(timeline.moments).toEqual([{ name: "restore", from: 0, to: 2 }]);
});

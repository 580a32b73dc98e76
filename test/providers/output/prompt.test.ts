import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { SummitError } from "../../../src/core/errors.ts";
import { terminalPrompt } from "../../../src/providers/output/prompt.ts";
import { CapturedStream } from "../../support/captured-stream.ts";

function setUp({ isTTY = true, yes = false } = {}) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new CapturedStream({ isTTY });
  const controller = new AbortController();
  const pauses: string[] = [];
  const pause = () => {
    pauses.push("pause");
    return () => void pauses.push("resume");
  };
  const prompt = terminalPrompt({ input, output, yes, signal: controller.signal, pause });
  return { input, output, controller, pauses, prompt };
}

test.each([
  ["y\n", true],
  ["Yes\n", true],
  ["\n", false],
  ["n\n", false],
  ["yessir\n", false],
])("answer %j is %s", async (typed, expected) => {
  const { input, output, pauses, prompt } = setUp();
  const answer = prompt.confirm("Go on?\u001b[2J");
  input.write(typed);
  expect(await answer).toBe(expected);
  expect(output.text).toContain("Go on?\\x1b[2J [y/N] ");
  expect(pauses).toEqual(["pause", "resume"]);
});

test("two questions in a row get their own answers", async () => {
  const { input, prompt } = setUp();
  const first = prompt.confirm("One?");
  input.write("y\n");
  expect(await first).toBe(true);
  const second = prompt.typedName("Destroys it", "spare", undefined);
  input.write("spare\n");
  expect(await second).toBe(true);
});

test("--yes answers a question without asking, but not one for a name", async () => {
  const { input, output, prompt } = setUp({ yes: true });
  expect(await prompt.confirm("Go on?")).toBe(true);
  expect(output.text).toBe("");
  const typed = prompt.typedName("Destroys it", "spare", undefined);
  input.write("production\n");
  expect(await typed).toBe(false);
});

test("--confirm must give the very name", async () => {
  const { prompt } = setUp({ isTTY: false });
  expect(await prompt.typedName("Destroys it", "spare", "spare")).toBe(true);
  expect(await prompt.typedName("Destroys it", "spare", "spar")).toBe(false);
});

test("without a terminal it names the flag", async () => {
  const { prompt } = setUp({ isTTY: false });
  await expect(prompt.confirm("Go on?")).rejects.toMatchObject({ kind: "usage", hint: "give --yes" });
  await expect(prompt.typedName("Destroys it", "spare", undefined)).rejects.toMatchObject({
    kind: "usage",
    hint: "give --confirm spare",
  });
});

test.each([
  ["Ctrl-C", "\u0003"],
  ["Ctrl-D", "\u0004"],
])("%s at the question is an interruption", async (_key, typed) => {
  const { input, pauses, prompt } = setUp();
  const answer = prompt.confirm("Go on?");
  input.write(typed);
  await expect(answer).rejects.toMatchObject({ kind: "interrupted" });
  expect(pauses).toEqual(["pause", "resume"]);
});

test("the end of the input is an interruption", async () => {
  const { input, prompt } = setUp();
  const answer = prompt.confirm("Go on?");
  input.end();
  await expect(answer).rejects.toMatchObject({ kind: "interrupted" });
});

test("an abort ends the question with the reason of the abort", async () => {
  const { controller, prompt } = setUp();
  const answer = prompt.confirm("Go on?");
  controller.abort(new SummitError("interrupted", "interrupted by SIGTERM"));
  await expect(answer).rejects.toMatchObject({ message: "interrupted by SIGTERM" });
  await expect(prompt.confirm("Again?")).rejects.toMatchObject({ message: "interrupted by SIGTERM" });
});

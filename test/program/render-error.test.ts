import { expect, test } from "vitest";
import { type ErrorKind, EXIT, SummitError } from "../../src/core/errors.ts";
import { errorRecord, renderError } from "../../src/render-error.ts";

const quiet = { verbose: false };

test("an error is its message, details and hint, with nothing a terminal would act on", () => {
  const error = new SummitError("config", 'expected a number, got "x\u001b[2J"', {
    details: ["summit.yaml:3 services.web.port", "two\nlines"],
    hint: "summitctl doctor",
  });
  expect(renderError(error, quiet)).toBe(
    'error: expected a number, got "x\\x1b[2J"\n' +
      "  summit.yaml:3 services.web.port\n  two\n  lines\nhint: summitctl doctor\n",
  );
});

test("colours are the caller's", () => {
  const paint = { error: (text: string) => `<${text}>`, hint: (text: string) => `(${text})` };
  const error = new SummitError("usage", "no", { hint: "yes" });
  expect(renderError(error, { verbose: false, paint })).toBe("<error:> no\n(hint:) yes\n");
});

test("anything else is an internal error, whose stack shows with -v", () => {
  const error = new TypeError("x is not a function");
  expect(renderError(error, quiet)).toBe(
    "error: internal error: x is not a function\n" +
      "hint: this is a defect of summitctl: run it again with -v and please report what it prints\n",
  );
  expect(renderError(error, { verbose: true })).toContain("render-error.test.ts:");
  expect(renderError("a string", quiet)).toContain("internal error: a string\n");
});

test("-v shows what caused an error, even when causes go in a circle", () => {
  const cause = new Error("ECONNREFUSED");
  const error = new SummitError("remote", "no answer", { cause });
  cause.cause = error;
  expect(renderError(error, { verbose: true })).toContain("caused by Error: ECONNREFUSED");
  expect(renderError(error, quiet)).toBe("error: no answer\n");
});

test.each(Object.entries(EXIT).filter(([kind]) => kind !== "ok"))("kind %s has its exit code", (kind, { code }) => {
  const record = errorRecord(new SummitError(kind as ErrorKind, "m", { hint: "h", details: ["d"] }), false);
  expect(record).toEqual({ schema: "summitctl.error.v1", kind, message: "m", hint: "h", details: ["d"], exit: code });
});

test("an error of another copy of the program is known by its brand", () => {
  const foreign = Object.assign(new Error("theirs"), {
    [Symbol.for("summitctl.error")]: true,
    kind: "locked",
    hint: undefined,
    details: [],
  });
  expect(errorRecord(foreign, false)).toMatchObject({ kind: "locked", message: "theirs", exit: 5 });
});

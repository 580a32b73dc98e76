import { expect, test } from "vitest";
import { configKeys } from "../../src/config/config-reference.ts";
import { readYaml } from "../../src/config/read-yaml.ts";
import { sampleText } from "../../src/config/sample.ts";
import { problemsOf } from "./config-fixture.ts";

const sample = sampleText({
  project: "summit",
  store: "/home/ann b/store",
  app: "./app",
  theme: undefined,
  secretFile: "./app_key.secret",
});
/** With every key switched on that is switched off by a `#` right before it; `# ` starts prose. */
const complete = sample.replaceAll(/^#(?=(\S| {2}))/gm, "");

test("the sample is correct, as it is and with everything switched on", () => {
  expect(problemsOf(sample)).toEqual([]);
  expect(problemsOf(complete)).toEqual([]);
});

/** Of three that exclude each other, the sample has one. */
const wantedKeys = () => configKeys().filter(({ path }) => !/^backup\.encrypt\.identity\.(env|command)$/.test(path));

test("every key of the schema is in the sample", () => {
  const { value } = readYaml(complete);
  const absent = wantedKeys().filter(({ path }) => !reaches(value, path.replaceAll("[]", ".[]").split(".")));
  expect(absent.map(({ path }) => path)).toEqual([]);
});

test("a key that the sample lacks would be noticed", () => {
  const { value } = readYaml(complete.replace("  golden: true\n", ""));
  expect(
    wantedKeys()
      .filter(({ path }) => !reaches(value, path.replaceAll("[]", ".[]").split(".")))
      .map(({ path }) => path),
  ).toEqual(["local.golden"]);
});

test.each(["yes", "no: way", "#x", "1", "a b"])("an app at %j stays a path", (app) => {
  const text = sampleText({ project: "summit", store: "/s", app, theme: app, secretFile: app });
  expect(problemsOf(text)).toEqual([]);
});

/** Whether some value stands at a path in which `<name>` is any key and `[]` any entry. */
function reaches(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return value !== undefined;
  if (typeof value !== "object" || value === null) return false;
  const inner = step === "<name>" || step === "[]" ? Object.values(value) : [(value as Record<string, unknown>)[step]];
  return inner.some((one) => reaches(one, rest));
}

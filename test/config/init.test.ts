import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runInit } from "../../src/config/init.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { fakeOutput } from "../support/fake-output.ts";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "summit-init-")), "plumbers-2026");
  await mkdir(folder);
});
afterEach(() => rm(join(folder, ".."), { recursive: true, force: true }));

test("writes a file that loads, a private key and a .gitignore", async () => {
  const out = fakeOutput();
  const result = await runInit({ folder }, { out, home: "/home/ann" });
  expect(result).toMatchObject({ project: "plumbers-2026", created: ["app_key.secret", ".gitignore"] });
  expect(result.next[0]).toContain(`${folder}/app`);
  expect(out.results).toEqual([result]);
  const config = await loadConfig(result.file);
  expect(config.stores[0]?.path).toBe("/home/ann/summitctl-store");
  expect(config.services["summit"]?.options["app"]).toEqual({ path: join(folder, "app") });
  expect(Object.keys(config.environments)).toEqual(["production", "spare"]);
  expect((await stat(join(folder, "app_key.secret"))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(folder, "app_key.secret"), "utf8")).trim()).toMatch(/^[\w-]{48}$/);
});

test("never overwrites anything", async () => {
  await writeFile(join(folder, "summit.yaml"), "mine");
  const failed = runInit({ folder }, { out: fakeOutput() });
  await expect(failed).rejects.toMatchObject({
    kind: "check",
    message: `${folder}/summit.yaml exists and is never overwritten`,
  });
  expect(await readFile(join(folder, "summit.yaml"), "utf8")).toBe("mine");
  expect(await readdir(folder)).toEqual(["summit.yaml"]);
});

test("keeps a key and a .gitignore that are there, and says what the latter lacks", async () => {
  await writeFile(join(folder, "app_key.secret"), "mine");
  await writeFile(join(folder, ".gitignore"), "node_modules\n");
  const out = fakeOutput();
  expect((await runInit({ folder }, { out })).created).toEqual([]);
  expect(await readFile(join(folder, "app_key.secret"), "utf8")).toBe("mine");
  expect(out.notes).toEqual(["add a line to .gitignore so that the key stays out of git: *.secret"]);
});

test("can point to the packaged example", async () => {
  await mkdir(join(folder, "..", "example app", "app"), { recursive: true });
  const example = join(folder, "..", "example app");
  const result = await runInit({ folder, example }, { out: fakeOutput() });
  const config = await loadConfig(result.file);
  expect(config.services["summit"]?.options).toEqual({
    app: { path: join(example, "app") },
    theme: { path: join(example, "theme") },
  });
  expect(result.next[0]).toBe("git add summit.yaml .gitignore");
});

test.each([
  ["Summit 2026!", "summit-2026"],
  ["2026", "summit"],
  ["list", "summit"],
  ["x".repeat(60), "x".repeat(40)],
])("the folder %s gives the project a name", async (name, project) => {
  const inside = join(folder, name);
  await mkdir(inside);
  expect((await runInit({ folder: inside }, { out: fakeOutput() })).project).toBe(project);
});

test.each([
  [{ project: "../x" }, "usage"],
  [{ folder: "/nowhere/at/all" }, "check"],
  [{ folder: "/dev/null" }, "check"],
])("%o is refused", async (wrong, kind) => {
  await expect(runInit({ folder, ...wrong }, { out: fakeOutput() })).rejects.toMatchObject({ kind });
});

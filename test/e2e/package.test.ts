import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Packed here, installed from the tarball, run by its name alone: nothing of the clone may be needed. */
describe("the npm package", () => {
  let folder: string;
  let home: string;
  let installed: string;
  let tarball: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-package-"));
    home = join(folder, "home");
    // dist/ is there: the scripts of the tests built it, and a build now would pull it from under other tests.
    const packed = await execa("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
      cwd: ROOT,
    });
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    tarball = join(folder, filename);
    const prefix = join(folder, "prefix");
    await execa("npm", ["install", "--global", "--no-audit", "--no-fund", "--prefix", prefix, tarball], {
      cwd: folder,
    });
    installed = join(prefix, "lib/node_modules/summitctl");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const summitctl = (cwd: string, ...args: string[]) =>
    execa("summitctl", args, {
      cwd,
      reject: false,
      extendEnv: false,
      env: {
        PATH: [join(folder, "prefix/bin"), process.env["PATH"]].join(delimiter),
        HOME: home,
        XDG_STATE_HOME: join(home, "state"),
        XDG_CACHE_HOME: join(home, "cache"),
      },
    });

  test("tells its version and its commands", async () => {
    const version = await summitctl(folder, "--version");
    expect(version).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    const help = await summitctl(folder, "--help");
    expect(help.exitCode).toBe(0);
    for (const verb of ["bootstrap", "backup", "restore", "failover", "doctor"])
      expect(help.stdout).toMatch(new RegExp(`^  ${verb}\\b`, "m"));
  });

  test("starts a project that runs the example and looks at it", async () => {
    const project = join(folder, "project");
    await execa("mkdir", ["-p", project, home]);
    const init = await summitctl(project, "init", "--example", "--project", "packaged", "--json");
    expect(init).toMatchObject({ exitCode: 0, stderr: "" });
    const doctor = await summitctl(project, "doctor", "--json");
    const { checks } = JSON.parse(doctor.stdout.split("\n").at(-1) ?? "") as {
      checks: { name: string; ok: boolean; message: string }[];
    };
    const named = (name: string) => checks.find((check) => check.name === name);
    // What needs an engine may fail here; what needs the package's own files may not.
    expect(named("packs")).toMatchObject({ ok: true, message: "postgresql, memcached, django, haproxy" });
    expect(named("source summit.app")).toMatchObject({
      ok: true,
      message: expect.stringContaining(join(installed, "examples/summit/app")),
    });
    expect(named("source summit.theme")).toMatchObject({ ok: true });
    expect(named("secret app_key")).toMatchObject({ ok: true });
  });

  test("has the recipe of the machine image, the schema and hooks that can be run", async () => {
    expect((await readdir(join(installed, "images/local"))).sort()).toEqual(["packages", "prepare.sh"]);
    expect((await stat(join(installed, "schema/summit.schema.json"))).size).toBeGreaterThan(1000);
    const hooks = (await readdir(join(installed, "packs"), { recursive: true })).filter((file) =>
      /^\w+\/hooks\/\w+$/.test(file),
    );
    expect(hooks).toHaveLength(20);
    for (const hook of hooks) expect((await stat(join(installed, "packs", hook))).mode & 0o111, hook).toBe(0o111);
  });

  test("has nothing that only the clone needs", async () => {
    const top = (await readdir(installed)).sort();
    expect(top).toEqual([
      "LICENSE",
      "README.md",
      "bin",
      "dist",
      "docs",
      "examples",
      "images",
      "node_modules",
      "package.json",
      "packs",
      "schema",
    ]);
    const strays = (await readdir(installed, { recursive: true })).filter(
      (file) => !file.startsWith("node_modules") && /(\.secret|\.pyc|\.sqlite3|\.test\.|\.built|\.tgz)$/.test(file),
    );
    expect(strays).toEqual([]);
  });

  test("is what publint takes for a right package", async () => {
    await execa(join(ROOT, "node_modules/.bin/publint"), ["run", tarball, "--strict"], { cwd: folder });
  });
});

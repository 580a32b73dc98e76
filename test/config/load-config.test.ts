import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { effectiveEnvironment } from "../../src/config/effective-environment.ts";
import { findConfigFile } from "../../src/config/find-config-file.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { configOf, HEAD } from "./config-fixture.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-config-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("loadConfig", () => {
  test("reads a file and remembers where it was", async () => {
    await writeFile(join(folder, "summit.yaml"), HEAD);
    await expect(loadConfig(join(folder, "summit.yaml"))).resolves.toMatchObject({ project: "summit", folder });
  });

  test("throws every problem with its line", async () => {
    const file = join(folder, "summit.yaml");
    await writeFile(file, `${HEAD}nonsense: 1\nbackup: { compression: xz }\nlocal: []\n`);
    await expect(loadConfig(file)).rejects.toMatchObject({
      kind: "config",
      message: `${file} has 3 problems`,
      details: [
        expect.stringMatching(/^summit\.yaml:6: nonsense: unknown key/),
        'summit.yaml:7: backup.compression: expected bzip2 or zstd, got "xz"',
        "summit.yaml:8: local: expected a mapping, got a list",
      ],
      hint: "edit summit.yaml, then: summitctl doctor",
    });
  });

  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ["nothing there", async () => undefined, /^there is no \//],
    ["a folder", (file) => mkdir(file), /^expected a file at .*, that is a folder$/],
    [
      "a huge file",
      (file) => writeFile(file, "#".repeat(1024 * 1024 + 1)),
      /has 1048577 bytes, at most 1048576 are read$/,
    ],
    ["not UTF-8", (file) => writeFile(file, Buffer.from([0x61, 0x3a, 0xff, 0xfe])), /is not UTF-8 text$/],
    ["a link to nothing", (file) => symlink("nowhere", file), /^there is no \//],
    ["a device", (file) => symlink("/dev/zero", file), /^expected a regular file at/],
    ["empty", (file) => writeFile(file, ""), /has 1 problem$/],
  ])("%s", async (_name, make, message) => {
    const file = join(folder, "summit.yaml");
    await make(file);
    await expect(loadConfig(file)).rejects.toMatchObject({ kind: "config", message: expect.stringMatching(message) });
  });
});

describe("findConfigFile", () => {
  test("prefers the flag, then the variable, then the closest file above", async () => {
    const deep = join(folder, "a", "b");
    await mkdir(deep, { recursive: true });
    await writeFile(join(folder, "summit.yaml"), HEAD);
    await mkdir(join(folder, "a", "summit.yaml"));
    const env = { SUMMITCTL_CONFIG: "other.yaml" };
    expect(await findConfigFile({ flag: "x.yaml", env, cwd: deep })).toBe(join(deep, "x.yaml"));
    expect(await findConfigFile({ flag: undefined, env, cwd: deep })).toBe(join(deep, "other.yaml"));
    expect(await findConfigFile({ flag: undefined, env: { SUMMITCTL_CONFIG: "" }, cwd: deep })).toBe(
      join(folder, "summit.yaml"),
    );
  });

  test("says what to do when there is none", async () => {
    await expect(findConfigFile({ flag: undefined, env: {}, cwd: folder })).rejects.toMatchObject({
      kind: "config",
      hint: "summitctl init",
    });
  });

  test.runIf(process.getuid?.() === 0)("does not follow somebody else's file in a folder above", async () => {
    await mkdir(join(folder, "a"));
    const file = join(folder, "summit.yaml");
    await writeFile(file, HEAD);
    await chown(file, 12_345, 12_345);
    await chmod(folder, 0o777);
    const search = { flag: undefined, env: {}, cwd: join(folder, "a") };
    await expect(findConfigFile(search)).rejects.toMatchObject({
      kind: "config",
      message: `${file} belongs to user 12345, not to you, and can name commands to run`,
    });
    expect(await findConfigFile({ ...search, uid: 12_345 })).toBe(file);
    expect(await findConfigFile({ ...search, env: { SUDO_UID: "12345" } })).toBe(file);
    expect(await findConfigFile({ ...search, cwd: folder })).toBe(file);
  });
});

describe("effectiveEnvironment", () => {
  const config = configOf(`schema: summitctl.config.v1
project: summit
stores: [file:///b]
services:
  db: {}
  db2: {}
  app: { pack: django, units: 2, options: { workers: 2, debug: false }, relations: { database: db, cache: db } }
environments:
  production: { provider: local }
  spare: { provider: local, services: { app: { units: 1, options: { workers: 1 }, relations: { database: db2 } } } }
`);

  test("merges options and relations key by key", () => {
    expect(effectiveEnvironment(config, "production").services["app"]).toEqual(config.services["app"]);
    expect(effectiveEnvironment(config, "spare")).toMatchObject({
      name: "spare",
      provider: "local",
      services: {
        db: { units: 1 },
        app: {
          name: "app",
          pack: "django",
          units: 1,
          options: { workers: 1, debug: false },
          relations: { database: "db2", cache: "db" },
        },
      },
    });
  });

  test.each([
    ["spar", 'there is no environment "spar", did you mean "spare"?'],
    ["constructor", 'there is no environment "constructor", known here: production, spare'],
  ])("an unknown one, %s, is a usage error", (name, message) => {
    expect(() => effectiveEnvironment(config, name)).toThrow(expect.objectContaining({ kind: "usage", message }));
  });
});

import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findPack, listPacks } from "../../src/stack/find-pack.ts";
import { packDigest } from "../../src/stack/pack-digest.ts";
import { readPack } from "../../src/stack/read-pack.ts";
import { packOf, packProblems, writePack } from "./pack-fixture.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-packs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("pack.yaml", () => {
  test("the example in docs/packs.md is a correct pack", async () => {
    const page = await readFile(new URL("../../docs/packs.md", import.meta.url), "utf8");
    const example = /```yaml\n(schema: summitctl\.pack\.v1\n[\s\S]*?)```/.exec(page)?.[1] ?? "";
    const rest = example
      .split("\n")
      .filter((line) => !/^(schema|name|summary):/.test(line))
      .join("\n");
    expect(packOf("django", rest)).toMatchObject({
      options: {
        workers: { type: "integer", default: 2, minimum: 1, maximum: 64, required: false },
        app: { type: "source", required: true },
      },
      provides: { web: { port: 8000 } },
      requires: {
        database: { optional: false, secret: true, nameOption: "database", interface: "database" },
        cache: { optional: true, secret: false, nameOption: undefined, interface: "cache" },
      },
      secrets: { app_key: { optional: false }, mail: { optional: true } },
      maxUnits: 8,
    });
  });

  test("all problems at once", () => {
    expect(
      packProblems(`options:
  a: { type: integer, default: two, minimum: 5, maximum: 1 }
  b: { type: enum }
  c: { type: strnig }
  d: { type: source, default: x }
  d_revision: { type: string }
  e: { type: list, required: true, default: [], values: [a] }
packages: [nginx=1.2, --install]
systemd: ["a b"]
ports: [0]
provides: { web: {}, db: { port_option: b }, api: { port_option: nope } }
requires: { cache: { name_option: a }, option_x: {}, web: { interfce: x } }
max_units: 21
hooks: 1
`),
    ).toEqual([
      "demo/pack.yaml:5: options.a.minimum: 5 is more than the maximum, 1",
      'demo/pack.yaml:5: options.a.default: expected a whole number, got "two"',
      "demo/pack.yaml:6: options.b: an enum needs values",
      'demo/pack.yaml:7: options.c.type: expected string or integer or boolean or enum or list or source, got "strnig"',
      "demo/pack.yaml:8: options.d.default: a source has no default",
      "demo/pack.yaml:9: options.d_revision: hooks would see it under the same variable as the revision of the source d",
      "demo/pack.yaml:10: options.e.values: belongs to enums, this is of type list",
      "demo/pack.yaml:10: options.e.default: an option that is required has no default",
      'demo/pack.yaml:11: packages[0]: expected the name of an apt package without a version, got "nginx=1.2"',
      'demo/pack.yaml:11: packages[1]: expected the name of an apt package without a version, got "--install"',
      'demo/pack.yaml:12: systemd[0]: expected the name of a systemd unit, got "a b"',
      "demo/pack.yaml:13: ports[0]: expected at least 1, got 0",
      "demo/pack.yaml:14: provides.web: expected exactly one of port and port_option",
      "demo/pack.yaml:14: provides.db.port_option: expected an option of type integer, b is of type enum",
      'demo/pack.yaml:14: provides.api.port_option: there is no option "nope", known here: a, b, c, d, d_revision, e',
      'demo/pack.yaml:15: requires.web.interfce: unknown key, did you mean "interface"?',
      "demo/pack.yaml:15: requires.cache.name_option: expected an option of type string or enum, a is of type integer",
      "demo/pack.yaml:15: requires.option_x: a relation's name cannot start with option_: hooks would mistake it",
      "demo/pack.yaml:16: max_units: expected at most 20, got 21",
      expect.stringMatching(/^demo\/pack\.yaml:17: hooks: unknown key, known here: schema, name, /),
    ]);
  });
});

describe("the folder of a pack", () => {
  test("has all five hooks, executable, and no links for them", async () => {
    const path = await writePack(folder, "demo", "nonsense: 1\n");
    await rm(join(path, "hooks", "stop"));
    await chmod(join(path, "hooks", "health"), 0o644);
    await rm(join(path, "hooks", "start"));
    await symlink("/bin/true", join(path, "hooks", "start"));
    await expect(readPack(path)).rejects.toMatchObject({
      kind: "config",
      details: [
        expect.stringMatching(/^demo\/pack\.yaml:4: nonsense: unknown key/),
        "demo/pack.yaml:1: expected a file at hooks/start",
        "demo/pack.yaml:1: there is no hook hooks/stop",
        "demo/pack.yaml:1: hooks/health is not executable",
      ],
      hint: `chmod +x ${path}/hooks/health`,
    });
  });

  test("has the pack's name", async () => {
    const path = await writePack(folder, "demo");
    await writeFile(join(path, "pack.yaml"), "schema: summitctl.pack.v1\nname: other\nsummary: x\n");
    await expect(readPack(path)).rejects.toMatchObject({
      details: ["demo/pack.yaml:2: name: expected the name of the folder, demo, got other"],
    });
  });

  test("is found in the first place that has it", async () => {
    const [own, packaged] = [join(folder, "own"), join(folder, "packaged")];
    await writePack(packaged, "demo");
    await writePack(packaged, "other");
    expect(await findPack("demo", [own, packaged])).toBe(join(packaged, "demo"));
    await writePack(own, "demo");
    expect(await findPack("demo", [own, packaged])).toBe(join(own, "demo"));
    expect(await listPacks([own, packaged])).toEqual(["demo", "other"]);
    await expect(findPack("dmo", [own, packaged])).rejects.toMatchObject({
      kind: "config",
      message: 'there is no pack "dmo", did you mean "demo"?',
      details: [`looked in: ${own}, ${packaged}`, "packs there: demo, other"],
    });
    await expect(findPack("../own/demo", [packaged])).rejects.toMatchObject({ kind: "config" });
  });
});

describe("the digest of a pack", () => {
  test("changes with names, contents and executable bits, and with nothing else", async () => {
    const path = await writePack(folder, "demo");
    const first = await packDigest(path);
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
    await writeFile(join(path, "pack.yaml~"), "an editor's backup");
    await chmod(join(path, "pack.yaml"), 0o600);
    expect(await packDigest(path)).toBe(first);

    const seen = new Set([first]);
    await chmod(join(path, "pack.yaml"), 0o755);
    seen.add(await packDigest(path));
    await writeFile(join(path, "file"), "a");
    seen.add(await packDigest(path));
    await writeFile(join(path, "file"), "b");
    seen.add(await packDigest(path));
    expect(seen.size).toBe(4);
    await symlink("/etc/passwd", join(path, "link"));
    await expect(packDigest(path)).rejects.toMatchObject({ kind: "config" });
  });

  test("is the same for a copy made in another order", async () => {
    const one = await writePack(join(folder, "1"), "demo");
    const two = await writePack(join(folder, "2"), "demo");
    await writeFile(join(one, "a"), "");
    await writeFile(join(one, "b"), "");
    await writeFile(join(two, "b"), "");
    await writeFile(join(two, "a"), "");
    expect(await packDigest(one)).toBe(await packDigest(two));
  });
});

const packaged = new URL("../../packs/", import.meta.url).pathname;
const complete = (await listPacks([packaged])).map((name) => [name] as const);
test.each(complete)("the packaged pack %s is correct", async (name) => {
  expect((await readPack(join(packaged, name))).name).toBe(name);
  expect(await readdir(join(packaged, name))).toContain("hooks");
});

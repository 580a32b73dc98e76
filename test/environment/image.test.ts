import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import type { MachineProvider } from "../../src/core/ports/machines.ts";
import { goldenScript, type ImageRequest, readPins, stackImage } from "../../src/environment/image.ts";
import type { Pins } from "../../src/stack/pins.ts";
import { EXAMPLE_SERVICES, PACKS, stackWith } from "../stack/stack-fixture.ts";
import { fakeMachines } from "../support/fake-machines.ts";
import { fakeOutput } from "../support/fake-output.ts";

const DAY = 86_400_000;
const RECORDED: Pins = {
  haproxy: { haproxy: "2.6" },
  memcached: { memcached: "1.6" },
  postgresql: { postgresql: "15+248", "postgresql-15": "15.20" },
  summit: { gunicorn: "20.1" },
};

describe("golden images", () => {
  let request: ImageRequest;
  beforeAll(async () => {
    request = {
      project: "conference",
      stack: await stackWith(EXAMPLE_SERVICES),
      pins: {},
      golden: true,
      library: { folder: PACKS, digest: "library" },
    };
  });

  /** A provider whose builds print what real hooks would have recorded, and that counts them. */
  function counting(): { machines: MachineProvider; built: () => number } {
    const { machines } = fakeMachines();
    let built = 0;
    return {
      built: () => built,
      machines: {
        ...machines,
        buildGolden: (recipe, task) => {
          built += 1;
          const words = Object.entries(RECORDED).flatMap(([service, pins]) =>
            Object.entries(pins).map(([name, version]) => `echo summitctl-pins ${service} ${name}=${version}`),
          );
          return machines.buildGolden({ ...recipe, script: words.join("\n") }, task);
        },
      },
    };
  }
  const image = (machines: MachineProvider, changes: Partial<ImageRequest> = {}, days = 0) =>
    stackImage({ ...request, ...changes }, machines, {
      out: fakeOutput(),
      now: () => new Date(Date.now() + days * DAY),
    });

  test("one build is found without the lock, and with it", async () => {
    const { machines, built } = counting();
    await image(machines);
    await image(machines);
    await image(machines, { pins: RECORDED });
    expect(built()).toBe(1);
  });

  test("any pin that differs, also one behind a metapackage, is another image", async () => {
    const { machines, built } = counting();
    await image(machines);
    await image(machines, { pins: { ...RECORDED, postgresql: { postgresql: "15+248", "postgresql-15": "15.21" } } });
    expect(built()).toBe(2);
  });

  test("pinned images stay, unpinned ones are made anew after a week", async () => {
    const { machines, built } = counting();
    await image(machines);
    await image(machines, { pins: RECORDED }, 400);
    await image(machines, {}, 6);
    expect(built()).toBe(1);
    await image(machines, {}, 8);
    expect(built()).toBe(2);
  });

  test("packs, options and the library are part of the key, sources are not", async () => {
    const { machines, built } = counting();
    const { summit } = EXAMPLE_SERVICES;
    const withApp = (options: object) =>
      stackWith({ ...EXAMPLE_SERVICES, summit: { ...summit, options: { ...summit.options, ...options } } });
    await image(machines);
    await image(machines, { stack: await withApp({ app: { path: "./elsewhere" } }) });
    expect(built()).toBe(1);
    await image(machines, { stack: await withApp({ packages: [] }) });
    await image(machines, { library: { folder: PACKS, digest: "another" } });
    expect(built()).toBe(3);
  });

  test("without golden images the base is used and nothing is built", async () => {
    const { machines, built } = counting();
    expect(await image(machines, { golden: false })).toBe("fake");
    expect(built()).toBe(0);
  });

  test("the script is sound shell and prints each service's record", () => {
    const script = goldenScript(request);
    execFileSync("sh", ["-n"], { input: script });
    for (const { name, pack } of request.stack.services) {
      expect(script).toContain(`export SUMMIT_SERVICE=${name}\n`);
      expect(script).toContain(`/var/lib/summitctl/packs/${pack}/hooks/install </dev/null >&2\n`);
      expect(script).toContain(
        `if [ -e /var/lib/summitctl/packages/${name} ]; then sed 's/^/summitctl-pins ${name} /' /var/lib/summitctl/packages/${name}; fi`,
      );
    }
    expect(script).toContain("export SUMMIT_IMAGE=1\n");
    expect(goldenScript({ ...request, pins: RECORDED })).toContain(
      "export SUMMIT_PACKAGES='postgresql=15+248 lbzip2 bzip2 zstd age postgresql-15=15.20'",
    );
  });

  test("pins are read from among whatever else was printed", () => {
    expect(
      readPins("noise\nsummitctl-pins a x=1\nsummitctl-pins a y=2:3\nsummitctl-pins b z=\nsummitctl-pins\n"),
    ).toEqual({ a: { x: "1", y: "2:3" }, b: {} });
  });
});

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openLocal, podmanAvailable } from "../../../support/podman.ts";

describe("the container engine", () => {
  let folder: string;
  const path = process.env["PATH"];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-engine-"));
    process.env["PATH"] = folder;
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    process.env["PATH"] = path;
    await rm(folder, { recursive: true, force: true });
  });

  async function stub(name: string, body: string): Promise<void> {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(folder, name), 0o755);
  }

  test("none installed: what to install is said, by doctor's check, too", async () => {
    const { machines } = await openLocal({ engine: "auto" });
    await expect(machines.list({ project: "x" })).rejects.toMatchObject({
      kind: "check",
      message: "no container engine answers: podman or docker is needed for machines on this computer",
      details: ["podman: not installed", "docker: not installed"],
      hint: expect.stringContaining("apt-get install podman"),
    });
    expect((await machines.checks())[0]).toMatchObject({
      name: "container engine",
      ok: false,
      hint: expect.stringContaining("apt-get"),
    });
  });

  test("an engine without rights: its own words are told", async () => {
    await stub("podman", "echo 'time=… cannot clone: Operation not permitted' >&2; exit 125");
    await stub("docker", "echo 'permission denied while trying to connect to the docker socket' >&2; exit 1");
    const { machines } = await openLocal({ engine: "auto" });
    await expect(machines.list({ project: "x" })).rejects.toMatchObject({
      kind: "check",
      details: [
        expect.stringContaining("podman: time=… cannot clone"),
        expect.stringContaining("docker: permission denied"),
      ],
    });
  });

  test("docker whose daemon is away is not taken for an engine", async () => {
    await stub("docker", "echo ' []'");
    const { machines } = await openLocal({ engine: "auto" });
    await expect(machines.list({ project: "x" })).rejects.toMatchObject({
      details: ["podman: not installed", "docker: its daemon does not answer"],
    });
  });

  test("a command of the engine that fails is told with its last words", async () => {
    await stub("podman", 'case "$1" in version) echo 4.3.1 ;; container) exit 1 ;; *) echo boom >&2; exit 125 ;; esac');
    const { machines } = await openLocal();
    await expect(machines.list({ project: "x" })).rejects.toMatchObject({
      kind: "remote",
      message: "podman ps ended with exit status 125",
      details: ["boom"],
    });
  });

  test("rootless: the limits are said plainly", async () => {
    await stub("podman", "echo 4.3.1");
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    expect((await (await openLocal()).machines.limits()).join()).toContain("loopback ports only");
  });

  test.skipIf(!podmanAvailable)("the real one passes", async () => {
    process.env["PATH"] = path;
    const { machines } = await openLocal();
    expect((await machines.checks())[0]).toMatchObject({ ok: true, message: expect.stringContaining("podman ") });
    expect(await machines.limits()).toEqual([]);
  });
});

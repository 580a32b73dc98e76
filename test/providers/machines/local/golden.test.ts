import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeOutput } from "../../../support/fake-output.ts";
import { lines, openLocal, podman, podmanAvailable, removeGolden } from "../../../support/podman.ts";

const BUILD = join(import.meta.dirname, "build-golden.ts");
const buildsOf = async (pid: number | undefined) =>
  lines(await podman("ps", "-a", "--filter", `name=summitctl-build-${pid}-`, "--format", "{{.Names}}"));

describe.skipIf(!podmanAvailable)("golden images", () => {
  const keys = [1, 2].map(() => randomBytes(32).toString("hex")) as [string, string];
  const task = () => fakeOutput().task("golden");
  // Of its own, so that nobody else's build holds the lock.
  const cache = process.env["XDG_CACHE_HOME"];
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-golden-"));
    process.env["XDG_CACHE_HOME"] = folder;
  });
  afterAll(async () => {
    if (cache === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = cache;
    await rm(folder, { recursive: true, force: true });
    for (const key of keys) await removeGolden(key);
  });

  test("a build that is killed leaves no image, and the next one clears up and works", async () => {
    const child = execa("tsx", [BUILD, keys[0], "sleep 60"], { preferLocal: true, reject: false, stdio: "ignore" });
    const pid = async () =>
      Number((await execa("pgrep", ["-f", `${BUILD} ${keys[0]}`], { reject: false })).stdout.split("\n").at(-1));
    // The container runs and the script has begun.
    await expect.poll(async () => (await buildsOf(await pid())).length, { timeout: 60_000 }).toBe(1);
    const killed = await pid();
    process.kill(killed, "SIGKILL");
    await child;
    const { machines } = await openLocal();
    expect(await machines.findGolden(keys[0])).toBeUndefined();
    expect(await buildsOf(killed)).toHaveLength(1);
    await machines.buildGolden({ folders: {}, script: "true", keys: () => [keys[0]] }, task());
    expect(await buildsOf(killed)).toEqual([]);
    expect(await machines.findGolden(keys[0])).toBeDefined();
  }, 120_000);

  test("holds what the recipe put in and nothing that two machines must not share", async () => {
    const content = join(folder, "content");
    await mkdir(content);
    await writeFile(join(content, "a file"), "content");
    const { machines } = await openLocal();
    const script =
      "ssh-keygen -q -A; systemd-machine-id-setup >/dev/null 2>&1; touch /tmp/left; mkdir -p /run/summitctl; echo done";
    const { image } = await machines.buildGolden(
      { folders: { "/srv/a b": content }, script, keys: () => [keys[1]] },
      task(),
    );
    const look =
      "cat '/srv/a b/a file'; echo; ls /etc/ssh/ssh_host_* 2>/dev/null; cat /etc/machine-id; ls -A /tmp; ls /var/lib/apt/lists | grep _; test -e /run/summitctl || echo clean";
    const { stdout } = await execa("podman", [
      "--runtime",
      "runc",
      "run",
      "--rm",
      "--network",
      "none",
      "--ulimit",
      "nofile=20000:20000",
      "--ulimit",
      "nproc=4096:4096",
      image,
      "sh",
      "-c",
      look,
    ]);
    expect(stdout.split("\n").filter(Boolean)).toEqual(["content", "clean"]);
  }, 120_000);
});

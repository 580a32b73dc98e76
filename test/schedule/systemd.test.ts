import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Argv } from "../../src/core/argv.ts";
import type { RunLocal } from "../../src/core/deps.ts";
import { installTimer, uninstallTimer } from "../../src/schedule/install.ts";
import type { TimerJob } from "../../src/schedule/timer-job.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { openLocal, podman, podmanAvailable, tryPodman } from "../support/podman.ts";
import { timetable } from "../support/timetable.ts";

const NAME = `summitctl-timer-${randomBytes(4).toString("hex")}`;
const UNIT = "summitctl-summit-backup";
/** Shared with the machine under the same path, and searched by its systemd. */
const UNITS = "/usr/local/lib/systemd/system";

describe.skipIf(!podmanAvailable)("a real systemd", () => {
  let folder: string;
  const inside: RunLocal = async (argv, { input = "" } = {}) => {
    const ran = await tryPodman("exec", "-i", "--env", "SHELL_ONLY=1", NAME, ...argv);
    expect(input).toBe("");
    return { code: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr };
  };
  const must = async (...argv: Argv): Promise<string> => (await inside(argv)).stdout;
  const deps = {
    out: fakeOutput(),
    local: inside,
    now: () => new Date(),
    prompt: { confirm: async () => true, typedName: async () => false },
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "summitctl-systemd-"));
    // Its user writes there.
    await chmod(folder, 0o777);
    await mkdir(join(folder, "units"));
    await writeFile(
      join(folder, "fake.sh"),
      `last=""; for word in "$@"; do last=$word; done
ok=false; [ -e ${folder}/works ] && ok=true
[ "$last" = prove ] || { printf '%s|' "$@" "$HOME" "$(id -un)" "\${SHELL_ONLY:-}" > ${folder}/ran; exit; }
printf '{"schema":"summitctl.schedule-proof.v1","ok":%s,"checks":[{"name":"keys","ok":%s,"message":"%s %s %s"}]}\\n' $ok $ok "$HOME" "$(id -un)" "\${SHELL_ONLY:-}"
`,
    );
    const { image } = await (await openLocal()).machines.base(fakeOutput().task("base"));
    const run = ["run", "-d", "--name", NAME, "--network", "none", "--systemd=always", "--cap-add", "SYS_ADMIN"];
    const limits = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096"];
    const rest = ["-v", `${folder}:${folder}`, "-v", `${join(folder, "units")}:${UNITS}`, image, "/sbin/init"];
    // As src/providers/machines/local/launch-flags.ts tries it: crun refuses hybrid control groups.
    const first = await tryPodman(...run, ...rest);
    if (first.exitCode !== 0) {
      await tryPodman("rm", "-f", "-t", "0", NAME);
      await podman("--runtime", "runc", ...run, ...limits, ...rest);
    }
    const booted = async () =>
      expect(await inside(["systemd-run", "--wait", "--quiet", "true"])).toMatchObject({ code: 0 });
    await vi.waitFor(booted, { timeout: 60_000, interval: 200 });
    await must("useradd", "--create-home", "ann");
  }, 120_000);

  afterAll(async () => {
    await tryPodman("rm", "-f", "-t", "0", "-v", NAME);
    await rm(folder, { recursive: true, force: true });
  });

  const job = (cron: string): TimerJob => ({
    name: UNIT,
    description: "summitctl backup of summit",
    table: timetable(cron),
    jitter: 0,
    catchUp: true,
    program: ["/bin/sh", join(folder, "fake.sh"), "--config", '/p/100% "$HOME"/summit.yaml'],
    user: "ann",
    environment: { HOME: "/home/ann", PATH: "/usr/bin:/bin" },
    environmentFile: undefined,
  });
  const request = () => ({
    kind: "systemd" as const,
    places: { env: {}, booted: folder, systemUnits: join(folder, "units") },
    zone: "UTC",
  });

  test("refuses where the proof fails under the unit's own user and environment", async () => {
    await expect(installTimer(job("15 * * * *"), request(), deps)).rejects.toMatchObject({
      kind: "check",
      details: ["keys: /home/ann ann "],
    });
    expect(await must("systemctl", "list-unit-files", `${UNIT}.timer`)).toContain("0 unit files");
  });

  test("installs a timer that systemd understands, and what it starts gets its words unchanged", async () => {
    await writeFile(join(folder, "works"), "");
    expect(await installTimer(job("15 * * * *"), request(), deps)).toMatchObject({ changed: true });
    expect(await installTimer(job("15 * * * *"), request(), deps)).toMatchObject({ changed: false });
    expect((await inside(["systemd-analyze", "verify", `${UNIT}.service`, `${UNIT}.timer`])).stderr).not.toContain(
      UNIT,
    );
    expect(await must("systemctl", "is-active", `${UNIT}.timer`)).toBe("active");
    expect(await must("systemctl", "is-enabled", `${UNIT}.timer`)).toBe("enabled");
    await must("systemctl", "start", `${UNIT}.service`);
    expect(await must("systemctl", "show", "-p", "Result", "--value", `${UNIT}.service`)).toBe("success");
    expect(await readFile(join(folder, "ran"), "utf8")).toBe(
      '--config|/p/100% "$HOME"/summit.yaml|backup|--notify|/home/ann|ann||',
    );
  });

  test("takes it away again", async () => {
    expect(await uninstallTimer(UNIT, request(), deps)).toMatchObject({ changed: true, kind: "systemd" });
    expect(await must("systemctl", "list-unit-files", `${UNIT}.timer`)).toContain("0 unit files");
    expect((await inside(["systemctl", "is-active", `${UNIT}.timer`])).stdout).toBe("inactive");
  });
});

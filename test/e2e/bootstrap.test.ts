import { createHash, randomBytes } from "node:crypto";
import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { BootstrapResult } from "../../src/environment/bootstrap.ts";
import type { EnvironmentState } from "../../src/environment/state.ts";
import type { StatusResult } from "../../src/environment/status.ts";
import { lines, podman, podmanAvailable } from "../support/podman.ts";
import { type CliProject, cliProject } from "../support/summitctl.ts";

const UNITS = ["postgresql/0", "memcached/0", "summit/0", "haproxy/0"];
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe.skipIf(!podmanAvailable)("bootstrap, status, ssh, destroy", () => {
  let project: CliProject;
  const bootstrap = () => project.json<BootstrapResult>("bootstrap", "-e", "production");
  const changes = ({ units }: BootstrapResult) =>
    units.flatMap((unit) => unit.changes.map((change) => `${unit.unit}: ${change}`));
  const container = (machine: string) => `summit-${project.name}-production-${machine}`;
  const stateFolder = () => join(project.store, project.name, "_state/environments/production");
  const machinesOnly = () =>
    [
      `summit-${project.name}`,
      `summit-${project.name}-gateway`,
      ...["haproxy", "memcached", "postgresql", "summit"].map((name) => container(`${name}-0`)),
    ].sort();

  async function newestState(): Promise<{ file: string; state: EnvironmentState }> {
    const file = (await readdir(stateFolder())).sort().at(-1) ?? "";
    return { file, state: JSON.parse(await readFile(join(stateFolder(), file), "utf8")) as EnvironmentState };
  }

  beforeAll(async () => {
    project = await cliProject();
  });
  afterAll(async () => {
    await project?.[Symbol.asyncDispose]();
  }, 60_000);

  describe("before the first machine", () => {
    test("a missing secret is told before anything is made", async () => {
      await rm(join(project.folder, "app_key"));
      const { code, stderr } = await project.cli(["bootstrap"]);
      expect(code).toBe(3);
      expect(stderr).toContain("app_key");
      expect(stderr).toContain("hint:");
      expect(await project.left()).toEqual([]);
      await writeFile(join(project.folder, "app_key"), randomBytes(32).toString("hex"), { mode: 0o600 });
    });

    test("status and ssh say that there is nothing yet", async () => {
      expect((await project.cli(["status"])).stdout).toContain("has no machines");
      const { code, stderr } = await project.cli(["ssh", "postgresql/0", "--", "true"]);
      expect(code).toBe(255);
      expect(stderr).toContain("hint: summitctl bootstrap -e production");
    });
  });

  describe("kill -9 and Ctrl-C", () => {
    test("kill -9 at any moment: run again, it completes, and nothing is left over", async () => {
      // The golden image is there from now on, so that the moments below fall into the interesting part.
      await bootstrap();
      for (const ms of [900, 1800, 3000, 4500, 6500]) {
        await project.cli(["destroy", "-e", "production", "--confirm", "production"]);
        const { signal } = await project.cli(["bootstrap", "-e", "production"], { after: { ms, signal: "SIGKILL" } });
        expect.soft([signal, ms]).toEqual(["SIGKILL", ms]);
        const result = await bootstrap();
        expect(result.units.map(({ unit }) => unit)).toEqual(UNITS);
        expect((await fetch(result.urls[0] ?? "")).status).toBe(200);
        expect(await project.left()).toEqual(machinesOnly());
        expect(changes(await bootstrap())).toEqual([]);
      }
    });

    test.each([800, 2500, 4500])(
      "Ctrl-C after %d ms ends with 130 and a hint, and the next run completes",
      async (ms) => {
        await project.cli(["destroy", "-e", "production", "--confirm", "production"]);
        const { code, stderr } = await project.cli(["bootstrap", "-e", "production"], {
          after: { ms, signal: "SIGINT" },
        });
        expect(code).toBe(130);
        expect(stderr).toContain("hint: ");
        await bootstrap();
        expect(await project.left()).toEqual(machinesOnly());
      },
    );
  });

  describe("an environment that stands", () => {
    test("bootstrap again changes nothing", async () => {
      await bootstrap();
      const again = await bootstrap();
      expect(changes(again)).toEqual([]);
      expect(again.units.map(({ created }) => created)).toEqual([false, false, false, false]);
      expect((await project.cli(["bootstrap", "-e", "production"])).stdout).toContain("nothing had to be changed");
    });

    test("status tells units, machines, addresses, versions, health", async () => {
      const status = await project.json<StatusResult>("status");
      expect(status).toMatchObject({
        schema: "summitctl.status.v1",
        project: project.name,
        liveEnvironment: "production",
        generation: 1,
        healthy: true,
      });
      expect(status.address).toMatchObject({ holder: "production haproxy/0" });
      const [production] = status.environments;
      expect(production?.units.map(({ unit, state, healthy }) => [unit, state, healthy])).toEqual(
        UNITS.map((unit) => [unit, "running", true]),
      );
      expect(production?.units[0]?.versions).toMatchObject({ postgresql: expect.stringMatching(/^\d+/) });
    });

    test("every URL shows the same page", async () => {
      const { address } = await project.json<StatusResult>("status");
      const http = (address?.urls ?? []).filter((url) => url.startsWith("http:"));
      expect(http).toHaveLength(2);
      for (const url of http) expect((await fetch(url)).status, url).toBe(200);
    });

    test("the golden image holds no cluster, machine id or host key", async () => {
      const image = (await podman("inspect", "--format", "{{.ImageName}}", container("postgresql-0"))).trim();
      expect(image).toContain("summitctl-golden");
      const look =
        "ls -d /var/lib/postgresql/*/main /etc/postgresql/*/main /etc/ssh/ssh_host_* /etc/ssl/private/*snakeoil* 2>/dev/null; cat /etc/machine-id; echo looked";
      expect(
        (
          await podman(
            "run",
            "--rm",
            "--network",
            "none",
            "--runtime",
            "runc",
            "--ulimit",
            "nofile=20000:20000",
            "--ulimit",
            "nproc=4096:4096",
            image,
            "sh",
            "-c",
            look,
          )
        ).trim(),
      ).toBe("looked");
    });

    test("no secret is on a machine that does not need it, and none is readable there", async () => {
      const key = (await readFile(join(project.folder, "app_key"), "utf8")).trim();
      for (const machine of ["postgresql-0", "memcached-0", "haproxy-0", "summit-0"]) {
        const found = lines(
          await podman(
            "exec",
            container(machine),
            "sh",
            "-c",
            `grep -rlF ${key} /etc /srv /var/lib /run 2>/dev/null; true`,
          ),
        );
        expect(found.length > 0, `${machine}: ${found.join()}`).toBe(machine === "summit-0");
        for (const file of found) {
          expect((await podman("exec", container(machine), "stat", "-c", "%a", file)).trim()).toMatch(/^[46]00$/);
        }
      }
    });

    test("ssh is byte-exact both ways", async () => {
      const bytes = randomBytes(20 * 1024 * 1024);
      const echoed = await project.cli(["ssh", "postgresql/0", "--", "cat"], { input: bytes });
      expect(echoed.code).toBe(0);
      expect(sha256(echoed.bytes)).toBe(sha256(bytes));
      const there = await project.cli(["ssh", "postgresql/0", "--", "sha256sum"], { input: bytes });
      expect(there.stdout).toBe(`${sha256(bytes)}  -\n`);
    });

    test("ssh passes arguments, both outputs and the exit code on", async () => {
      const words = ["a b", "it's", "$(id)", "*"];
      expect((await project.cli(["ssh", "summit/0", "--", "printf", "%s|", ...words])).stdout).toBe(
        "a b|it's|$(id)|*|",
      );
      expect(await project.cli(["ssh", "summit/0", "--", "echo out; echo err >&2; exit 7"])).toMatchObject({
        code: 7,
        stdout: "out\n",
        stderr: "err\n",
      });
      expect((await project.cli(["ssh", "summit/0", "--", "kill -9 $$"])).code).toBe(137);
      expect((await project.cli(["ssh", "summit/0", "--", "summit-no-such-program", "x"])).code).toBe(127);
    });

    test.each([["nothing/0"], ["postgresql/7"], ["-x"], ["a/b/c"], ["$(id)/0"]])(
      "ssh to %s is our own failure: 255 or usage",
      async (unit) => {
        const { code, stderr } = await project.cli(["ssh", unit, "--", "true"]);
        expect([2, 255]).toContain(code);
        expect(stderr).not.toBe("");
      },
    );

    test("a changed host key is refused and explained", async () => {
      await podman(
        "exec",
        container("memcached-0"),
        "sh",
        "-c",
        "cd /etc/ssh && cp -a ssh_host_ed25519_key k && cp -a ssh_host_ed25519_key.pub k.pub && rm ssh_host_ed25519_key* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl reload ssh",
      );
      const { code, stderr } = await project.cli(["ssh", "memcached/0", "--", "true"]);
      expect(code).toBe(255);
      expect(stderr).toContain("another host key than the pinned one");
      await podman(
        "exec",
        container("memcached-0"),
        "sh",
        "-c",
        "cd /etc/ssh && mv k ssh_host_ed25519_key && mv k.pub ssh_host_ed25519_key.pub && systemctl reload ssh",
      );
      expect((await project.cli(["ssh", "memcached/0", "--", "true"])).code).toBe(0);
    });

    test("of two bootstraps at once one is told who is at it", async () => {
      const results = await Promise.all([
        project.cli(["bootstrap", "-e", "production"]),
        project.cli(["bootstrap", "-e", "production"]),
      ]);
      expect(results.map(({ code }) => code).sort()).toEqual([0, 5]);
      expect(results.find(({ code }) => code === 5)?.stderr).toMatch(
        /bootstrap of "production" is running on .* as process \d+/,
      );
    });

    test("a machine that was stopped is started, one that was removed is made anew with a pinned key of its own", async () => {
      const before = (await newestState()).state;
      await podman("kill", container("memcached-0"));
      await podman("rm", "-f", "-t", "0", container("haproxy-0"));
      expect((await project.json<StatusResult>("status")).environments[0]?.units.map(({ state }) => state)).toEqual([
        "running",
        "stopped",
        "running",
        "missing",
      ]);
      const result = await bootstrap();
      expect(result.units.map(({ unit, created }) => [unit, created])).toEqual([
        ["postgresql/0", false],
        ["memcached/0", false],
        ["summit/0", false],
        ["haproxy/0", true],
      ]);
      const { machines } = (await newestState()).state;
      expect(machines["haproxy-0"]?.hostKeys).toHaveLength(1);
      expect(machines["haproxy-0"]?.hostKeys).not.toEqual(before.machines["haproxy-0"]?.hostKeys);
      expect(machines["memcached-0"]?.hostKeys).toEqual(before.machines["memcached-0"]?.hostKeys);
      expect((await fetch(result.urls[0] ?? "")).status).toBe(200);
      expect(changes(await bootstrap())).toEqual([]);
    });

    test("an environment that another version made is refused, and taken over when that is said", async () => {
      const { file, state } = await newestState();
      const next = `${String(Number(file.slice(0, 8)) + 1).padStart(8, "0")}.json`;
      await writeFile(join(stateFolder(), next), JSON.stringify({ ...state, summitctl: "9.9.9" }));
      const { code, stderr } = await project.cli(["bootstrap", "-e", "production"]);
      expect(code).toBe(4);
      expect(stderr).toContain('environment "production" was made by summitctl 9.9.9');
      expect((await project.cli(["bootstrap", "-e", "production", "--upgrade"])).code).toBe(0);
      expect((await project.cli(["bootstrap", "-e", "production"])).code).toBe(0);
    });

    test("an app that cannot start is told by its unit and its own words; mended, it goes on", async () => {
      const app = join(project.folder, "broken");
      const config = await readFile(join(project.folder, "summit.yaml"), "utf8");
      const path = /path: (\S+\/app)/.exec(config)?.[1] ?? "";
      await cp(path, app, { recursive: true });
      await writeFile(join(app, "summit/urls.py"), "urlpatterns = [\n");
      await writeFile(join(project.folder, "summit.yaml"), config.replace(path, app));
      const pinned = await project.cli(["bootstrap", "-e", "production"]);
      expect(pinned.code).toBe(3);
      expect(pinned.stderr).toContain("sources.summit.app");
      const lock = await readFile(join(project.folder, "summit.lock"));
      await rm(join(project.folder, "summit.lock"));
      const { code, stderr } = await project.cli(["bootstrap", "-e", "production"]);
      expect([6, 8]).toContain(code);
      expect(stderr).toContain("production summit/0");
      expect(stderr).toContain("SyntaxError");
      await writeFile(join(project.folder, "summit.yaml"), config);
      await writeFile(join(project.folder, "summit.lock"), lock);
      const result = await bootstrap();
      expect((await fetch(result.urls[0] ?? "")).status).toBe(200);
    });
  });

  describe("destroy", () => {
    test("asks for the typed name; --yes is not enough", async () => {
      for (const args of [[], ["--yes"]]) {
        expect((await project.cli(["destroy", "-e", "production", ...args])).code).toBe(2);
      }
      expect((await project.cli(["destroy", "-e", "production", "--confirm", "spare"])).code).toBe(4);
      expect((await project.cli(["destroy", "--confirm", "production"])).code).toBe(2);
      expect(await project.left()).toEqual(machinesOnly());
    });

    test("leaves the store's backups and nothing else", async () => {
      const kept = join(project.store, project.name, "production/20261122T143800Z-abcdef/manifest.json");
      await cp(join(project.folder, "app_key"), kept, { recursive: true });
      const { code, stdout, stderr } = await project.cli(["destroy", "-e", "production", "--confirm", "production"]);
      expect(code).toBe(0);
      expect(stderr).toContain(`stays:\n  backups in file://${project.store}`);
      expect(stdout).toContain("machine postgresql-0");
      expect(await project.left()).toEqual([]);
      expect((await stat(kept)).isFile()).toBe(true);
      await expect(readdir(stateFolder())).rejects.toThrow("ENOENT");
      expect(await readdir(join(project.folder, "state/summitctl/locks", project.name))).toEqual([]);
      expect((await project.cli(["destroy", "-e", "production", "--confirm", "production"])).code).toBe(0);
    });
  });

  describe("two units of the app and a certificate", () => {
    test("a unit is added, HTTPS answers, and the page stays when one of the two dies", async () => {
      await bootstrap();
      await execa("openssl", CERTIFICATE, { cwd: project.folder });
      const pem = ["key.pem", "cert.pem"].map((file) => readFile(join(project.folder, file), "utf8"));
      await writeFile(join(project.folder, "certificate"), (await Promise.all(pem)).join(""), { mode: 0o600 });
      const config = parse(await readFile(join(project.folder, "summit.yaml"), "utf8"));
      config.services.summit.units = 2;
      config.secrets.certificate = { file: "./certificate" };
      await project.configure(config);

      const { units, urls } = await bootstrap();
      const added = units.filter(({ created }) => created).map(({ unit }) => unit);
      expect(added).toEqual(["summit/1"]);
      const ca = join(project.folder, "cert.pem");
      for (const url of urls.filter((one) => one.startsWith("https:")))
        expect(await status(url, "--cacert", ca, "--connect-to", `summit.test:443:${new URL(url).host}`)).toBe(200);
      expect(urls.filter((one) => one.startsWith("https:"))).toHaveLength(2);

      await podman("kill", container("summit-0"));
      const http = urls.find((one) => one.startsWith("http:")) ?? "";
      for (let round = 0; round < 10; round += 1) expect(await status(http)).toBe(200);
      await project.cli(["destroy", "-e", "production", "--confirm", "production"]);
      expect(await project.left()).toEqual([]);
    });
  });
});

const CERTIFICATE =
  "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=summit.test -addext subjectAltName=DNS:summit.test".split(
    " ",
  );

/** Status of a page by curl; an HTTPS page under the name that the certificate is for. */
async function status(url: string, ...options: string[]): Promise<number> {
  const asked = url.startsWith("https:") ? "https://summit.test/" : url;
  const { stdout } = await execa("curl", [
    "-sS",
    "-m",
    "10",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    ...options,
    asked,
  ]);
  return Number(stdout);
}

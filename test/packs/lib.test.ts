import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runLibrary, temporaryFolder } from "./run-library.ts";

const WRITE = `write_file "$FOLDER/app.conf" 640 root:root <<EOF
port = 1
EOF
`;
const MARKS = "needs_restart && say restart\nneeds_reload && say reload\nsay end";

describe("write_file", () => {
  it("writes content and mode, records the change and marks the service", async () => {
    const folder = temporaryFolder();
    const { code, stdout } = await runLibrary(folder, WRITE + MARKS);
    expect(code).toBe(0);
    expect(stdout).toBe(`wrote ${folder}/app.conf\nrestart\nend`);
    expect(readFileSync(join(folder, "app.conf"), "utf8")).toBe("port = 1\n");
    expect(statSync(join(folder, "app.conf")).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(folder, "changes"), "utf8")).toBe(`wrote ${folder}/app.conf\n`);
  });

  it("changes nothing the second time", async () => {
    const folder = temporaryFolder();
    await runLibrary(folder, `${WRITE}clear_marks`);
    const before = statSync(join(folder, "app.conf"));
    const { stdout } = await runLibrary(folder, WRITE + MARKS);
    expect(stdout).toBe("end");
    expect(statSync(join(folder, "app.conf")).ino).toBe(before.ino);
    expect(readdirSync(folder).sort()).toEqual(["app.conf", "changes", "run"]);
  });

  it("repairs a mode that was changed by hand", async () => {
    const folder = temporaryFolder();
    await runLibrary(folder, `${WRITE}chmod 666 "$FOLDER/app.conf"`);
    expect((await runLibrary(folder, WRITE)).stdout).toContain("wrote");
    expect(statSync(join(folder, "app.conf")).mode & 0o777).toBe(0o640);
  });

  it("replaces a link instead of writing through it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "victim"), "port = 1\n");
    symlinkSync(join(folder, "victim"), join(folder, "app.conf"));
    await runLibrary(folder, WRITE.replace("port = 1", "port = 2"));
    expect(readFileSync(join(folder, "victim"), "utf8")).toBe("port = 1\n");
    expect(readFileSync(join(folder, "app.conf"), "utf8")).toBe("port = 2\n");
  });

  it("marks what the caller says and never prints content", async () => {
    const folder = temporaryFolder();
    const secret = `printf hunter2 | write_file "$FOLDER/key" 600 root reload\nprintf x | write_file "$FOLDER/b" 600 root none\n`;
    const { stdout, stderr } = await runLibrary(folder, secret + MARKS);
    expect(stdout).toBe(`wrote ${folder}/key\nwrote ${folder}/b\nreload\nend`);
    expect(stdout + stderr).not.toContain("hunter2");
  });

  it("leaves the old file and no leftover when the new one cannot be written", async () => {
    const folder = temporaryFolder();
    await runLibrary(folder, WRITE);
    const { code, stderr } = await runLibrary(folder, WRITE.replace("root:root", "no-such-user").replace("= 1", "= 2"));
    expect(code).toBe(1);
    expect(stderr).toContain(`error: cannot write ${folder}/app.conf`);
    expect(readFileSync(join(folder, "app.conf"), "utf8")).toBe("port = 1\n");
    expect(readdirSync(folder).sort()).toEqual(["app.conf", "changes", "run"]);
  });
});

describe("each_client", () => {
  const print = `show() { printf '[%s|%s|%s|%s|%s]\\n' "$@"; cat; }\neach_client show`;

  it("keeps empty fields and hostile names as they are", async () => {
    const clients = "django\tdatabase\ta\"b $(id) * 'x'\t10.0.0.1,10.0.0.2\t/s/1\nworker\tdatabase\tw\t\t-";
    const { stdout } = await runLibrary(temporaryFolder(), print, { SUMMIT_CLIENTS: clients });
    expect(stdout).toBe("[django|database|a\"b $(id) * 'x'|10.0.0.1,10.0.0.2|/s/1]\n[worker|database|w||-]");
  });

  it("calls nothing without clients", async () => {
    expect((await runLibrary(temporaryFolder(), `${print}\nsay end`)).stdout).toBe("end");
  });
});

describe("wait_for", () => {
  it("returns once the command succeeds", async () => {
    const { code } = await runLibrary(temporaryFolder(), `wait_for 5 "the folder" mkdir "$FOLDER/there"`);
    expect(code).toBe(0);
  });

  it("tries once and dies when the time is over", async () => {
    const { code, stderr } = await runLibrary(temporaryFolder(), `wait_for 0 "the server answers" false`);
    expect(code).toBe(1);
    expect(stderr).toBe("error: the server answers: not within 0 s");
  });
});

describe("matches", () => {
  it.each([
    ["8MB", "[0-9]+MB", true],
    ["8MB\nhost all all trust", "[0-9]+MB", false],
    ["x8MB", "[0-9]+MB", false],
    ["-e", "[a-z]+", false],
  ])("%j against %s: %s", async (value, pattern, expected) => {
    const script = `if matches "$VALUE" '${pattern}'; then say yes; else say no; fi`;
    const { stdout } = await runLibrary(temporaryFolder(), script, { VALUE: value });
    expect(stdout).toBe(expected ? "yes" : "no");
  });
});

/** Programs that stand in for apt and dpkg; the archive has thing 2 and 1, and fails `failures` times. */
function archive(folder: string, failures: number): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(folder, "failures"), `${failures}`);
  const programs = {
    "dpkg-query": `cat "$FOLDER/installed" 2>/dev/null`,
    "apt-cache": `[ "$2" != thing ] || printf 'thing | 2 | x\\nthing | 1 | x\\n'`,
    "apt-get": `echo "$@" >>"$FOLDER/apt-get-calls"
      [ -e "$SUMMIT_POLICY" ] || exit 9
      left=$(cat "$FOLDER/failures")
      case "$*" in *install*) if [ "$left" -gt 0 ]; then echo $((left - 1)) >"$FOLDER/failures"; exit 100; fi
      printf 'ii 2\\n' >"$FOLDER/installed" ;; esac`,
    dpkg: "exit 0",
    systemctl: `echo "$@" >>"$FOLDER/systemctl-calls"`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
}

const calls = (folder: string, program: string): string[] =>
  existsSync(join(folder, `${program}-calls`))
    ? readFileSync(join(folder, `${program}-calls`), "utf8")
        .trim()
        .split("\n")
    : [];

describe("install_packages", () => {
  it("installs what is missing, starts nothing, and records what to pin", async () => {
    const folder = temporaryFolder();
    archive(folder, 0);
    const { code, stdout } = await runLibrary(folder, "install_packages thing", { SUMMIT_PACKAGES: "thing" });
    expect(code).toBe(0);
    expect(stdout).toBe("installing thing\ninstalled thing 2");
    expect(existsSync(join(folder, "policy-rc.d"))).toBe(false);
    expect(calls(folder, "systemctl")).toEqual(["disable --quiet thing"]);
    expect(readFileSync(join(folder, "records/web"), "utf8")).toBe("thing=2\n");
  });

  it("does not ask apt when everything is as pinned", async () => {
    const folder = temporaryFolder();
    archive(folder, 0);
    writeFileSync(join(folder, "installed"), "ii 2\n");
    const { code, stdout } = await runLibrary(folder, "install_packages thing", { SUMMIT_PACKAGES: "thing=2" });
    expect({ code, stdout, apt: calls(folder, "apt-get") }).toEqual({ code: 0, stdout: "", apt: [] });
  });

  it("tries again after a failure, with fresh lists", async () => {
    const folder = temporaryFolder();
    archive(folder, 2);
    const { code } = await runLibrary(folder, "install_packages", { SUMMIT_PACKAGES: "thing" });
    expect(code).toBe(0);
    const verbs = calls(folder, "apt-get").map((line) => (line.includes("update") ? "update" : "install"));
    expect(verbs).toEqual(["install", "update", "install", "update", "install"]);
  });

  it("gives up after a bounded number of tries and leaves no policy behind", async () => {
    const folder = temporaryFolder();
    archive(folder, 99);
    const { code, stderr } = await runLibrary(folder, "install_packages", {
      SUMMIT_PACKAGES: "thing",
      SUMMIT_APT_TRIES: "3",
    });
    expect(code).toBe(1);
    expect(stderr).toContain("error: apt-get install failed 3 times: thing");
    expect(existsSync(join(folder, "policy-rc.d"))).toBe(false);
  });

  it("says which version is not there, and which are", async () => {
    const folder = temporaryFolder();
    archive(folder, 0);
    const { code, stderr } = await runLibrary(folder, "install_packages", { SUMMIT_PACKAGES: "thing=3 ghost" });
    expect(code).toBe(1);
    expect(stderr).toBe(
      "error: not available: thing=3 (the archives have 2 1) ghost (the archives have no such package)",
    );
  });

  it("leaves a policy alone that somebody else put there", async () => {
    const folder = temporaryFolder();
    archive(folder, 0);
    writeFileSync(join(folder, "policy-rc.d"), "#!/bin/sh\nexit 101\n");
    await runLibrary(folder, "install_packages", { SUMMIT_PACKAGES: "thing" });
    expect(readFileSync(join(folder, "policy-rc.d"), "utf8")).toBe("#!/bin/sh\nexit 101\n");
  });

  it.each(["--purge", "a;b", "thing=$(id)", "*"])("refuses %s", async (spec) => {
    const folder = temporaryFolder();
    archive(folder, 0);
    const { code, stderr } = await runLibrary(folder, "install_packages", { SUMMIT_PACKAGES: spec });
    expect(code).toBe(1);
    expect(stderr).toBe(`error: not a package: ${spec}`);
    expect(calls(folder, "apt-get")).toEqual([]);
  });
});

import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runSecretCommand } from "../../src/config/secret-command.ts";
import { checkSecret, resolveSecret, type SecretDeps } from "../../src/config/secret-source.ts";
import { SummitError } from "../../src/core/errors.ts";

let folder: string;
let deps: SecretDeps;
let warnings: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-secret-"));
  warnings = [];
  deps = {
    env: { ...process.env, APP_KEY: "hunter2", EMPTY: "", BLANK: " \n" },
    folder,
    warn: (line) => void warnings.push(line),
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a variable", () => {
  test("gives its value, which prints as redacted", async () => {
    const secret = await resolveSecret("app_key", { env: "APP_KEY" }, deps);
    expect(secret.reveal()).toBe("hunter2");
    expect(`${secret} ${inspect(secret)} ${JSON.stringify(secret)}`).not.toContain("hunter2");
  });

  test.each([
    ["NOT_SET", "the secret app_key is expected in the variable NOT_SET, which is not set"],
    ["EMPTY", "the secret app_key is expected in the variable EMPTY, which is empty"],
    ["BLANK", "the secret app_key is empty: the variable BLANK"],
    ["constructor", "the secret app_key is expected in the variable constructor, which is not set"],
  ])("%s", async (env, message) => {
    await expect(resolveSecret("app_key", { env }, deps)).rejects.toMatchObject({ kind: "config", message });
  });
});

describe("a file", () => {
  test.each([
    ["one line", "hunter2\n", "hunter2"],
    ["a Windows line", "hunter2\r\n", "hunter2"],
    ["no newline", "hunter2", "hunter2"],
    ["blanks that belong to it", " a b \n", " a b "],
    ["several lines", "-----BEGIN\nx\n-----END\n", "-----BEGIN\nx\n-----END\n"],
  ])("with %s", async (_name, content, expected) => {
    await writeFile(join(folder, "key"), content, { mode: 0o600 });
    expect((await resolveSecret("app_key", { file: "key" }, deps)).reveal()).toBe(expected);
    expect(warnings).toEqual([]);
  });

  test("that others can read is a warning", async () => {
    await writeFile(join(folder, "key"), "hunter2\n");
    await chmod(join(folder, "key"), 0o640);
    await resolveSecret("app_key", { file: "key" }, deps);
    expect(warnings).toEqual([
      `the secret app_key is in ${folder}/key, which others can read: chmod 600 ${folder}/key`,
    ]);
    expect(await checkSecret("app_key", { file: "key" }, deps)).toEqual({ ok: true, warning: warnings[0] });
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["absent", async () => undefined, /, which is not there$/],
    ["a folder", () => mkdir(join(folder, "key")), /, which is a folder$/],
    ["empty", () => writeFile(join(folder, "key"), "\n"), /^the secret app_key is empty: the file /],
    ["with NUL", () => writeFile(join(folder, "key"), "hunter2\0x"), /^the secret app_key holds a NUL byte: the file /],
    [
      "not UTF-8",
      () => writeFile(join(folder, "key"), Buffer.from([0xff, 0x41])),
      /^the secret app_key is not UTF-8 text: the file /,
    ],
    ["huge", () => writeFile(join(folder, "key"), "x".repeat(1024 * 1024 + 1)), /, which has 1048577 bytes/],
    ["a named pipe", async () => execFileSync("mkfifo", [join(folder, "key")]), /, which is no regular file$/],
  ])("that is %s", async (_name, make, message) => {
    await make();
    const failure = await checkSecret("app_key", { file: "key" }, deps);
    expect(failure).toMatchObject({ ok: false, problem: expect.stringMatching(message) });
    expect(JSON.stringify(failure)).not.toContain("hunter2");
  });
});

describe("a command", () => {
  test("runs in the project's folder with the environment it is given", async () => {
    await writeFile(join(folder, "key"), "hunter2\n");
    expect((await resolveSecret("app_key", { command: 'cat key; : "$APP_KEY"' }, deps)).reveal()).toBe("hunter2");
  });

  test("that fails shows stderr, and nothing of stdout", async () => {
    const failed = resolveSecret(
      "app_key",
      { command: "echo hunter2; echo 'not signed in, got hunter2' >&2; exit 3" },
      deps,
    );
    await expect(failed).rejects.toMatchObject({
      kind: "config",
      message: "the command for the secret app_key ended with exit status 3",
      details: ["not signed in, got [redacted]"],
    });
  });

  test.each([
    ["true", "the secret app_key is empty: what its command printed"],
    ["kill -9 $$", "the command for the secret app_key was ended by SIGKILL"],
    ["head -c 2000000 /dev/zero", "the command for the secret app_key printed more than 1 MiB"],
    ["printf 'a\\000b'", "the secret app_key holds a NUL byte: what its command printed"],
    ["no-such-program-here", "the command for the secret app_key ended with exit status 127"],
  ])("%s", async (command, message) => {
    await expect(resolveSecret("app_key", { command }, deps)).rejects.toMatchObject({ kind: "config", message });
  });

  test("is ended at its time limit, and so is what it started", async () => {
    const started = performance.now();
    const command = `sh -c 'echo $$ > ${folder}/pid; exec sleep 60' & wait`;
    const output = await runSecretCommand(command, { env: process.env, folder, limit: 400 });
    expect(output.ending).toBe("did not end within 0.4 s");
    expect(performance.now() - started).toBeLessThan(10_000);
    const pid = (await readFile(join(folder, "pid"), "utf8")).trim();
    await expect.poll(async () => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  test("is ended by an abort, whose reason is thrown", async () => {
    const controller = new AbortController();
    const running = resolveSecret("app_key", { command: "sleep 60" }, { ...deps, signal: controller.signal });
    controller.abort(new SummitError("interrupted", "interrupted by SIGINT"));
    await expect(running).rejects.toMatchObject({ kind: "interrupted" });
  });
});

// A killed process stays as a zombie until its new parent collects it.
const isAlive = (pid: string): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, "utf8").then(
    (stat) => !/\) [ZX] /.test(stat),
    () => false,
  );

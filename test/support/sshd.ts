import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, connect as tcpConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ShellTarget } from "../../src/core/ports/shell.ts";

const run = promisify(execFile);

/** A real sshd needs root here, for logins of other users and for its sandbox. */
export const sshdAvailable = process.getuid?.() === 0 && existsSync("/usr/sbin/sshd");
export const sudoAvailable = sshdAvailable && existsSync("/usr/bin/sudo");

export interface SshdOptions {
  /** A line per setting, such as `MaxSessions 2`. */
  readonly settings?: readonly string[];
  /** Makes a user with (or without) passwordless sudo, to log in as. Without it the login is root. */
  readonly user?: { readonly sudo: boolean };
}

/** Debian's sshd on a loopback port, with keys and configuration of its own. */
export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** The user to log in as. */
  readonly user: string;
  readonly folder: string;
  /** Private key file whose public half is let in. */
  readonly keyFile: string;
  readonly hostKey: string;
  target(changes?: Partial<ShellTarget>): ShellTarget;
  /** Replaces the keys that are let in. */
  letIn(publicLines: readonly string[]): Promise<void>;
  /** Kills the processes that serve connections, not the listener. */
  killSessions(): Promise<void>;
  /** Stops listening; connections stay. */
  stopListening(): Promise<void>;
}

export async function startSshd({ settings = [], user: wanted }: SshdOptions = {}): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), "summit-sshd-"));
  await chmod(folder, 0o755);
  await mkdir("/run/sshd", { recursive: true });
  await makeKey(join(folder, "host"));
  const keyFile = await makeKey(join(folder, "operator"));
  const hostKey = await publicLine(join(folder, "host"));
  const user = wanted === undefined ? "root" : await addUser(wanted.sudo);
  const letIn = (lines: readonly string[]): Promise<void> =>
    writeFile(join(folder, "authorized_keys"), `${lines.join("\n")}\n`, { mode: 0o644 });
  await letIn([await publicLine(keyFile)]);
  const listenPort = await freePort();
  const config = [
    `Port ${listenPort}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "PasswordAuthentication no",
    "MaxStartups 100",
    ...settings,
  ];
  await writeFile(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  const daemon = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", join(folder, "sshd_config")], { stdio: "ignore" });
  await untilAnswering(listenPort, daemon);

  const killSessions = async (): Promise<void> => {
    for (const pid of await descendants(daemon.pid ?? 0)) killQuietly(pid);
  };
  return {
    port: listenPort,
    user,
    folder,
    keyFile,
    hostKey,
    target: (changes = {}) => ({
      name: "test machine",
      endpoint: { host: "127.0.0.1", port: listenPort },
      user,
      hostKeys: [hostKey],
      ...changes,
    }),
    letIn,
    killSessions,
    stopListening: () => ended(daemon),
    async [Symbol.asyncDispose]() {
      await killSessions();
      await ended(daemon);
      if (wanted !== undefined) await removeUser(user);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Makes an ed25519 pair; returns the private key's file. */
export async function makeKey(file: string, passphrase = ""): Promise<string> {
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", file]);
  return file;
}

/** `ssh-ed25519 AAAA…` of a private key file that has its `.pub` beside it. */
export async function publicLine(file: string): Promise<string> {
  return (await readFile(`${file}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function addUser(sudo: boolean): Promise<string> {
  const user = `summit-test-${process.pid}-${Math.random().toString(36).slice(2, 6)}`;
  // `*` as the password: without PAM sshd takes the usual `!` for a locked account.
  await withPasswdLock("useradd", ["--create-home", "--shell", "/bin/bash", "--password", "*", user]);
  if (sudo) await writeFile(`/etc/sudoers.d/${user}`, `${user} ALL=(ALL:ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
  return user;
}

async function removeUser(user: string): Promise<void> {
  await rm(`/etc/sudoers.d/${user}`, { force: true });
  await withPasswdLock("userdel", ["--force", "--remove", user]).catch(() => {});
}

/** Other test files may be changing users at the same moment. */
async function withPasswdLock(program: string, args: readonly string[]): Promise<void> {
  for (let left = 20; ; left -= 1) {
    try {
      await run(program, args);
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function untilAnswering(port: number, daemon: ChildProcess): Promise<void> {
  for (let left = 200; left > 0 && daemon.exitCode === null; left -= 1) {
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`sshd did not start on port ${port}`);
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = tcpConnect(port, "127.0.0.1");
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once("data", () => done(true))
      .once("error", () => done(false))
      .once("close", () => done(false));
  });

async function descendants(pid: number): Promise<readonly number[]> {
  const { stdout } = await run("ps", ["-e", "-o", "pid=,ppid=,comm="]);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const below = (parent: number): number[] =>
    rows.filter(([, ppid]) => Number(ppid) === parent).flatMap(([child]) => [Number(child), ...below(Number(child))]);
  const sshd = new Set(rows.filter(([, , comm]) => comm === "sshd").map(([child]) => Number(child)));
  return below(pid).filter((child) => sshd.has(child));
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

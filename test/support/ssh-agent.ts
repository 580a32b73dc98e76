import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Agent extends AsyncDisposable {
  readonly socket: string;
  /** Adds a private key file without a passphrase. */
  add(keyFile: string): Promise<void>;
}

/** A real ssh-agent with a socket of its own. */
export async function startAgent(): Promise<Agent> {
  const folder = await mkdtemp(join(tmpdir(), "summit-agent-"));
  const socket = join(folder, "socket");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  for (let left = 100; !existsSync(socket) && left > 0; left -= 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    socket,
    async add(keyFile) {
      await execFileText("ssh-add", ["-q", keyFile], { SSH_AUTH_SOCK: socket });
    },
    async [Symbol.asyncDispose]() {
      const exit = new Promise((resolve) => agent.once("exit", resolve));
      agent.kill("SIGTERM");
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Standard output of a local program that must succeed. */
export function execFileText(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: { ...process.env, ...env } }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

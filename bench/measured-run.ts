import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";

export interface MeasuredRun {
  readonly seconds: number;
  /** Peak resident memory of the process itself, MB; 0 where /proc does not tell. */
  readonly peakMemory: number;
  readonly stdout: string;
}

/** Runs a command to its end; throws with its stderr when it fails. */
export async function measuredRun(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<MeasuredRun> {
  const began = process.hrtime.bigint();
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let peakMemory = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-4000);
  });
  const poll = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, "utf8").then(
      (status) => {
        peakMemory = Math.max(peakMemory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
      },
      () => undefined,
    );
  }, 50);
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  clearInterval(poll);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}\n${stderr}`);
  return { seconds, peakMemory, stdout };
}

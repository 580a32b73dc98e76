import { readFile } from "node:fs/promises";

/** Whether a process of this computer runs. One that was killed and not yet collected by its parent does not. */
export async function processRuns(pid: number): Promise<boolean> {
  // 0 and less would name groups of processes.
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const [state = ""] = await statFields(pid);
  return state !== "Z" && state !== "X";
}

/** Tells a process from a later one of the same number. Undefined on systems without /proc. */
export async function startTime(pid: number): Promise<string | undefined> {
  return (await statFields(pid))[19];
}

/** Fields of /proc/PID/stat from the third on, the state; the name before it may hold spaces and brackets. */
async function statFields(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach } from "vitest";

const LIBRARY = join(import.meta.dirname, "../../packs/lib.sh");
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface LibraryRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An empty folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "summitctl-packs-"));
  folders.push(folder);
  return folder;
}

/** Runs a script as a hook would run, by dash, with the library loaded and its paths inside `folder`. */
export async function runLibrary(
  folder: string,
  script: string,
  env: Record<string, string> = {},
): Promise<LibraryRun> {
  const { exitCode, stdout, stderr } = await execa("dash", ["-c", `. "$SUMMIT_LIB"\n${script}`], {
    extendEnv: false,
    reject: false,
    env: {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
      SUMMIT_LIB: LIBRARY,
      SUMMIT_SERVICE: "web",
      SUMMIT_RUN: join(folder, "run"),
      SUMMIT_RECORDS: join(folder, "records"),
      SUMMIT_POLICY: join(folder, "policy-rc.d"),
      SUMMIT_APT_LOG: join(folder, "apt.log"),
      SUMMIT_APT_PAUSE: "0",
      SUMMIT_CHANGES: join(folder, "changes"),
      FOLDER: folder,
      ...env,
    },
  });
  return { code: exitCode ?? -1, stdout, stderr };
}

import type { Shell } from "../core/ports/shell.ts";
import { REMOTE } from "./hook-environment.ts";

/** apt package to exact version, per service. */
export type Pins = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Versions of installed packages on a machine; one that is not installed is absent. */
export async function installedVersions(
  shell: Shell,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (packages.length === 0) return {};
  // Exit status 1 when one of them is not installed; the others are still printed.
  const shown = await shell.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", ...packages], {
    signal,
    timeout: 60,
  });
  const versions = new Map(
    shown.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ") as [string, string]),
  );
  // In the order of the pack, whose first package is what the service is about.
  return Object.fromEntries(packages.flatMap((name) => (versions.get(name) ? [[name, versions.get(name) ?? ""]] : [])));
}

/** What the install hook of a service recorded on a machine. Empty where a pack keeps no record. */
export async function installedPins(
  shell: Shell,
  service: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const shown = await shell.run(["cat", `${REMOTE.records}/${service}`], { signal, timeout: 60 });
  return shown.code === 0 ? parsePins(shown.stdout) : {};
}

/** `name=version` lines. */
export function parsePins(record: string): Record<string, string> {
  const pins: Record<string, string> = {};
  for (const line of record.split("\n")) {
    const [, name = "", version = ""] = /^([^=\s]+)=(\S+)$/.exec(line) ?? [];
    if (name !== "") pins[name] = version;
  }
  return pins;
}

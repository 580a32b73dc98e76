import { randomBytes } from "node:crypto";
import { execa, execaSync } from "execa";
import { type LocalSettings, localProvider } from "../../src/providers/machines/local/provider.ts";

/** Podman as root is what the local provider is made for. */
export const podmanAvailable =
  process.getuid?.() === 0 && execaSync("podman", ["--version"], { reject: false }).exitCode === 0;

export async function podman(...args: string[]): Promise<string> {
  return (await execa("podman", args)).stdout;
}

/** Exit status and both outputs, whatever they are. */
export const tryPodman = (...args: string[]) => execa("podman", args, { reject: false });

export const lines = (text: string): string[] => text.split("\n").filter(Boolean);

export const randomProject = (): string => `t${randomBytes(4).toString("hex")}`;

const localSettings: LocalSettings = {
  engine: "podman",
  subnet: undefined,
  image: "debian:12",
  mirror: undefined,
  httpPort: undefined,
  httpsPort: undefined,
  signal: new AbortController().signal,
};

export const openLocal = (changes: Partial<LocalSettings> = {}) => localProvider({ ...localSettings, ...changes });

/** Containers and networks that carry the project's name, for "nothing is left". */
export async function leftOf(project: string): Promise<string[]> {
  const containers = await podman(
    "ps",
    "-a",
    "--filter",
    `label=io.summitctl.project=${project}`,
    "--format",
    "{{.Names}}",
  );
  const networks = await podman(
    "network",
    "ls",
    "--filter",
    `label=io.summitctl.project=${project}`,
    "--format",
    "{{.Name}}",
  );
  return [...lines(containers), ...lines(networks)];
}

export async function removeProject(project: string): Promise<void> {
  const containers = await podman("ps", "-aq", "--filter", `label=io.summitctl.project=${project}`);
  if (containers !== "") await podman("rm", "-f", "-t", "0", "-v", ...lines(containers));
  await tryPodman("network", "rm", `summit-${project}`);
}

export const removeGolden = (key: string) => tryPodman("rmi", `localhost/summitctl-golden:${key.slice(0, 20)}`);

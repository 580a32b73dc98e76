import { readFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { execa } from "execa";
import { isSummitError, messageOf } from "../../../core/errors.ts";
import { freeSpace } from "../../../core/free-space.ts";
import type { Check } from "../../../core/ports/machines.ts";
import { type AddressSettings, gatewayName, isFree } from "./address.ts";
import type { Engine } from "./engine.ts";
import { baseTag, imageId } from "./images.ts";
import { networkName, subnetsOf } from "./network.ts";

export interface CheckSettings extends Pick<AddressSettings, "subnet" | "httpPort" | "httpsPort"> {
  /** What the base image is made from: `debian:12`. */
  readonly image: string;
  readonly signal: AbortSignal;
}

const GB = 1e9;

/** What machines on this computer need, looked at and not touched. Without a project: what any project needs. */
export async function localChecks(
  findEngine: () => Promise<Engine>,
  settings: CheckSettings,
  project: string | undefined,
): Promise<Check[]> {
  const temporary = freeSpace(tmpdir(), { what: "temporary files", enough: 2 * GB, least: 0.5 * GB });
  let engine: Engine;
  try {
    engine = await findEngine();
  } catch (error) {
    settings.signal.throwIfAborted();
    return [failed("container engine", error), await temporary];
  }
  const { name, version, rootless } = engine;
  const checks = [
    imageCheck(engine, settings),
    storeSpace(engine),
    temporary,
    portCheck(engine, project, { port: settings.httpPort, inside: 80, what: "http" }),
    portCheck(engine, project, { port: settings.httpsPort, inside: 443, what: "https" }),
    subnetCheck(engine, project, settings.subnet),
    inotifyCheck(),
  ].map((check, index) => check.catch((error: unknown) => failed(NAMES[index] ?? name, error)));
  const found = await Promise.all(checks);
  settings.signal.throwIfAborted();
  return [
    { name: "container engine", ok: true, message: `${name} ${version}${rootless ? ", rootless" : ""}` },
    ...found.filter((check) => check !== undefined),
  ];
}

const NAMES = ["base image", "disk: images", "disk: temporary files", "http port", "https port", "subnet", "inotify"];

const failed = (name: string, error: unknown): Check => {
  const { hint, details } = isSummitError(error) ? error : { hint: undefined, details: [] };
  const message = [messageOf(error), details.join("; ")].filter(Boolean).join(": ");
  return { name, ok: false, message, ...(hint === undefined ? {} : { hint }) };
};

/** systemd takes about five instances a machine; without one its sshd never starts, and the machine stays silent. */
async function inotifyCheck(): Promise<Check | undefined> {
  const limit = Number(await readFile("/proc/sys/fs/inotify/max_user_instances", "utf8").catch(() => "NaN"));
  if (Number.isNaN(limit)) return undefined;
  const name = "inotify";
  const message = `${limit} instances, enough for about ${Math.floor(limit / 5)} machines at once`;
  if (limit >= 512) return { name, ok: true, message };
  return { name, ok: "warning", message, hint: "sudo sysctl fs.inotify.max_user_instances=1024" };
}

async function imageCheck(engine: Engine, { image }: CheckSettings): Promise<Check> {
  const name = "base image";
  if ((await imageId(engine, await baseTag(image))) !== undefined) {
    return { name, ok: true, message: `${image}, prepared` };
  }
  const builds = await execa("mmdebstrap", ["--version"], { reject: false });
  const later = `none yet: the first bootstrap pulls ${image}`;
  if (builds.exitCode === 0) return { name, ok: true, message: `${later}, or builds it with mmdebstrap` };
  return {
    name,
    ok: "warning",
    message: `${later}; where no registry is in reach, mmdebstrap is needed, which is not installed`,
    hint: "sudo apt-get install mmdebstrap",
  };
}

async function storeSpace(engine: Engine): Promise<Check | undefined> {
  const format = engine.name === "podman" ? "{{.Store.GraphRoot}}" : "{{.DockerRootDir}}";
  const folder = (await engine.must(["info", "--format", format], { timeout: 20 })).trim();
  return await freeSpace(folder, { what: "images", enough: 6 * GB, least: 2 * GB });
}

interface Published {
  /** Of this computer; 0 publishes none, undefined takes a free one. */
  readonly port: number | undefined;
  readonly inside: number;
  readonly what: string;
}

async function portCheck(
  engine: Engine,
  project: string | undefined,
  { port, inside, what }: Published,
): Promise<Check | undefined> {
  if (port === undefined || port === 0 || project === undefined) return undefined;
  const name = `${what} port`;
  if (await isFree(port)) return { name, ok: true, message: `127.0.0.1:${port} is free` };
  const shown = await engine.run(["port", gatewayName(project), `${inside}/tcp`], { timeout: 20 });
  if (shown.code === 0 && new RegExp(`:${port}\\s*$`, "m").test(shown.stdout)) {
    return { name, ok: true, message: `127.0.0.1:${port} is this project's already` };
  }
  return {
    name,
    ok: false,
    message: `127.0.0.1:${port} is taken by something else`,
    hint: `ss -ltnp 'sport = :${port}'    # or another one in summit.yaml: address: { ${what}_port: ${port + 1} }`,
  };
}

async function subnetCheck(
  engine: Engine,
  project: string | undefined,
  subnet: string | undefined,
): Promise<Check | undefined> {
  if (subnet === undefined || project === undefined) return undefined;
  const name = "subnet";
  const own = await subnetsOf(engine, networkName(project));
  if (own.includes(subnet)) return { name, ok: true, message: `${subnet} is this project's already` };
  if (own.length > 0) {
    return {
      name,
      ok: "warning",
      message: `the project's network is ${own.join(", ")}, not ${subnet}, until all of its machines were destroyed`,
      hint: "summitctl destroy",
    };
  }
  const user = (await networkWith(engine, subnet)) ?? interfaceWith(subnet);
  if (user === undefined) return { name, ok: true, message: `${subnet} is free` };
  return {
    name,
    ok: false,
    message: `${subnet} is in use here, by ${user}`,
    hint: "set another one in summit.yaml, or leave it out for a free one: local: { subnet: 10.123.45.0/24 }",
  };
}

async function networkWith(engine: Engine, subnet: string): Promise<string | undefined> {
  const listed = await engine.must(["network", "ls", "--format", "{{.Name}}"], { timeout: 20 });
  for (const network of listed.split("\n").filter(Boolean)) {
    if ((await subnetsOf(engine, network)).includes(subnet)) return `the ${engine.name} network ${network}`;
  }
  return undefined;
}

function interfaceWith(subnet: string): string | undefined {
  const prefix = subnet.replace(/0\/24$/, "");
  const found = Object.entries(networkInterfaces()).find(([, list]) =>
    list?.some(({ address }) => address.startsWith(prefix)),
  );
  return found === undefined ? undefined : `the network interface ${found[0]}`;
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SummitError } from "../../../core/errors.ts";
import type { AddressPort, Machine, MachineProvider, MachineSpec } from "../../../core/ports/machines.ts";
import type { Task } from "../../../core/ports/output.ts";
import { localAddress } from "./address.ts";
import { localChecks } from "./checks.ts";
import { inspectMachine, listMachines } from "./containers.ts";
import { type Engine, type EngineName, findEngine, removal } from "./engine.ts";
import { baseImage, buildGolden, findGolden } from "./images.ts";
import { labelFlags } from "./labels.ts";
import { launchFlags } from "./launch-flags.ts";
import { removeLeftoverFolders, temporaryFolder } from "./leftovers.ts";
import { ensureNetwork, networkName } from "./network.ts";

export interface LocalSettings {
  readonly engine: EngineName | "auto";
  readonly subnet: string | undefined;
  readonly image: string;
  readonly mirror: string | undefined;
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  readonly signal: AbortSignal;
}

const SILENT: Task = { progress: () => undefined, done: () => undefined, fail: () => undefined };
const SEED = "/var/lib/cloud/seed/nocloud";

/** Machines as containers of this computer, with systemd, sshd and cloud-init. */
export async function localProvider(
  settings: LocalSettings,
): Promise<{ machines: MachineProvider; address: AddressPort }> {
  // Looked for when first needed, so that `checks` can report a missing engine instead of throwing.
  let found: Promise<Engine> | undefined;
  const engine = () => {
    found ??= findEngine(settings.engine);
    return found;
  };
  const imageSettings = { from: settings.image, mirror: settings.mirror, signal: settings.signal };

  const machines: MachineProvider = {
    kind: "local",

    async limits() {
      const { name, rootless } = await engine();
      return [
        ...(rootless ? ["rootless engine: machines and the project's address are reached by loopback ports only"] : []),
        ...(name === "docker" ? ["docker: not tried yet; podman as root is the contract"] : []),
      ];
    },

    checks: (project) => localChecks(engine, settings, project),

    async base(task) {
      await removeLeftoverFolders();
      return await baseImage(await engine(), imageSettings, task);
    },

    async findGolden(key) {
      return await findGolden(await engine(), key);
    },

    async buildGolden(recipe, task) {
      const base = await baseImage(await engine(), imageSettings, task);
      return await buildGolden(await engine(), base, recipe, { task, signal: settings.signal });
    },

    async create(spec) {
      return await createMachine(await engine(), spec, settings);
    },

    async list({ project, environment }) {
      return await listMachines(await engine(), project, environment);
    },

    async hostKeys(machine) {
      if (machine.state !== "running") return undefined;
      const shown = await (await engine()).run(["exec", machine.id, "sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"], {
        timeout: 20,
      });
      if (shown.code !== 0) return undefined;
      return shown.stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" ").slice(0, 2).join(" "));
    },

    async console(machine) {
      if (machine.state !== "running") return [];
      const last = ["journalctl", "-q", "-b", "-p", "err", "-n", "5", "-o", "cat", "--no-pager"];
      const shown = await (await engine()).run(["exec", machine.id, ...last], { timeout: 20 });
      return shown.code === 0 ? shown.stdout.split("\n").filter(Boolean) : [];
    },

    async stop(machine) {
      await (await engine()).run(["kill", machine.id], { timeout: 60 });
      const now = await inspectMachine(await engine(), machine.id);
      if (now?.state === "running")
        throw new SummitError("remote", `the machine ${machine.environment} ${machine.name} could not be stopped`, {
          hint: "summitctl status",
        });
    },

    async remove(machine) {
      const result = await (await engine()).run(removal(await engine(), machine.id), { timeout: 120 });
      if ((await inspectMachine(await engine(), machine.id)) === undefined) return;
      throw new SummitError("remote", `the machine ${machine.environment} ${machine.name} could not be removed`, {
        details: [result.stderr.trim()],
        hint: "run the same command again",
      });
    },
  };

  const address: AddressPort = lazyAddress(async () =>
    localAddress(await engine(), {
      subnet: settings.subnet,
      httpPort: settings.httpPort,
      httpsPort: settings.httpsPort,
      gateway: async () => {
        const { image } = await baseImage(await engine(), imageSettings, SILENT);
        return { image, flags: await launchFlags(await engine(), image) };
      },
    }),
  );
  return { machines, address };
}

async function createMachine(engine: Engine, spec: MachineSpec, settings: LocalSettings): Promise<Machine> {
  try {
    return await createOnce(engine, spec, settings);
  } catch (error) {
    settings.signal.throwIfAborted();
    // A killed command's last engine call ends after it: what it made meanwhile is looked at once more.
    if ((await inspectMachine(engine, containerName(spec)))?.booted !== false) throw error;
    return await createOnce(engine, spec, settings);
  }
}

const containerName = ({ project, environment, name }: Pick<MachineSpec, "project" | "environment" | "name">): string =>
  `summit-${project}-${environment}-${name}`;

async function createOnce(engine: Engine, spec: MachineSpec, settings: LocalSettings): Promise<Machine> {
  const name = containerName(spec);
  const existing = await inspectMachine(engine, name);
  if (existing !== undefined) {
    if (existing.project !== spec.project || existing.environment !== spec.environment || existing.name !== spec.name) {
      throw new SummitError("check", `the container ${name} belongs to something else`, {
        hint: `${engine.name} inspect ${name}`,
      });
    }
    if (existing.booted) return existing.state === "running" ? existing : await startMachine(engine, name);
    await engine.must(removal(engine, name));
  }
  await ensureNetwork(engine, spec.project, settings.subnet);
  const flags = await launchFlags(engine, spec.image);
  await engine.must([
    ...flags.global,
    "create",
    "--name",
    name,
    "--hostname",
    spec.name,
    "--network",
    networkName(spec.project),
    ...labelFlags(spec),
    ...flags.container,
    ...(engine.rootless ? ["-p", "127.0.0.1::22"] : []),
    spec.image,
    "/sbin/init",
  ]);
  try {
    await using seed = await temporaryFolder("seed");
    await writeFile(join(seed.path, "user-data"), spec.userData, { mode: 0o600 });
    const metaData = `instance-id: ${name}\nlocal-hostname: ${spec.name}\n`;
    await writeFile(join(seed.path, "meta-data"), metaData, { mode: 0o600 });
    await engine.must(["cp", `${seed.path}/.`, `${name}:${SEED}`]);
    return await startMachine(engine, name);
  } catch (error) {
    // A machine that never booted must not be found later and taken for one that did.
    await engine.run(removal(engine, name));
    throw error;
  }
}

async function startMachine(engine: Engine, name: string): Promise<Machine> {
  const started = await engine.run(["start", name], { timeout: 120 });
  // The record of a container whose processes are gone says "running" until it is told to stop.
  if (started.code !== 0) {
    await engine.run(["stop", "-t", "0", name], { timeout: 60 });
    await engine.must(["start", name], { timeout: 120 });
  }
  let machine = await inspectMachine(engine, name);
  if (machine?.state === "stopped") {
    await engine.run(["stop", "-t", "0", name], { timeout: 60 });
    await engine.must(["start", name], { timeout: 120 });
    machine = await inspectMachine(engine, name);
  }
  if (machine?.endpoint === undefined)
    throw new SummitError("remote", `the container ${name} was started but does not run`, {
      hint: `${engine.name} logs ${name}`,
    });
  return machine;
}

function lazyAddress(make: () => Promise<AddressPort>): AddressPort {
  let made: Promise<AddressPort> | undefined;
  const address = () => {
    made ??= make();
    return made;
  };
  return {
    reserve: async (project) => await (await address()).reserve(project),
    find: async (project) => await (await address()).find(project),
    holder: async (project) => await (await address()).holder(project),
    assign: async (project, machine) => await (await address()).assign(project, machine),
    release: async (project) => await (await address()).release(project),
    remove: async (project) => await (await address()).remove(project),
  };
}

import { connect, createServer } from "node:net";
import { SummitError } from "../../../core/errors.ts";
import type { AddressPort, Machine, ProjectAddress } from "../../../core/ports/machines.ts";
import { listMachines } from "./containers.ts";
import { type Engine, removal } from "./engine.ts";
import { PROJECT_LABEL } from "./labels.ts";
import type { LaunchFlags } from "./launch-flags.ts";
import { ensureNetwork, findNetwork, networkName, type ProjectNetwork } from "./network.ts";

export interface AddressSettings {
  readonly subnet: string | undefined;
  /** Loopback ports of this computer; 0 publishes none, undefined takes a free one. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  /** Image and flags for the gateway, worked out when it is first needed. */
  readonly gateway: () => Promise<{ image: string; flags: LaunchFlags }>;
}

/** The container that answers on the loopback ports. */
export const gatewayName = (project: string): string => `summit-${project}-gateway`;

/**
 * A floating address on the project's network, and a gateway: a container that listens on loopback ports of this
 * computer and passes connections on to the address, for engines whose networks this computer cannot reach.
 */
export function localAddress(engine: Engine, settings: AddressSettings): AddressPort {
  return {
    async reserve(project) {
      const network = await ensureNetwork(engine, project, settings.subnet);
      await ensureGateway(project, network);
      return await describe(project, network);
    },

    async find(project) {
      const network = await findNetwork(engine, project);
      return network === undefined ? undefined : await describe(project, network);
    },

    async holder(project) {
      const network = await findNetwork(engine, project);
      return network === undefined ? undefined : (await holders(project, network.address))[0];
    },

    async assign(project, machine) {
      const network = await ensureNetwork(engine, project, settings.subnet);
      for (const other of await holders(project, network.address)) {
        if (other.id !== machine.id) await removeAddress(other, network.address);
      }
      // Without the gratuitous ARP everybody keeps talking to the previous holder for minutes.
      const script = `ip -4 -o addr show dev eth0 | grep -qF 'inet ${network.address}/' || ip addr add ${network.address}/32 dev eth0
command -v arping >/dev/null || exit 1
setsid arping -q -c 3 -U -I eth0 ${network.address} >/dev/null 2>&1 </dev/null &`;
      await engine.must(["exec", machine.id, "sh", "-c", script], { timeout: 20 });
      if (!engine.rootless) await waitForPort(network.address, 22);
    },

    async release(project) {
      const network = await findNetwork(engine, project);
      if (network === undefined) return;
      for (const machine of await holders(project, network.address)) await removeAddress(machine, network.address);
    },

    async remove(project) {
      const left = await listMachines(engine, project);
      if (left.length > 0) {
        throw new SummitError("check", `the project's address is kept: ${left.length} of its machines still exist`, {
          hint: "summitctl status",
        });
      }
      const gateways = await engine.must(["ps", "-aq", "--filter", `label=${PROJECT_LABEL}=${project}`]);
      for (const id of gateways.split("\n").filter(Boolean)) await engine.must(removal(engine, id));
      if ((await findNetwork(engine, project)) !== undefined)
        await engine.must(["network", "rm", networkName(project)]);
    },
  };

  async function holders(project: string, ip: string): Promise<Machine[]> {
    const running = (await listMachines(engine, project)).filter(({ state }) => state === "running");
    const held = await Promise.all(
      running.map(async (machine) => {
        const shown = await engine.run(["exec", machine.id, "ip", "-4", "-o", "addr", "show", "dev", "eth0"], {
          timeout: 20,
        });
        return shown.code === 0 && shown.stdout.includes(` ${ip}/`);
      }),
    );
    return running.filter((_machine, index) => held[index]);
  }

  async function removeAddress(machine: Machine, ip: string): Promise<void> {
    await engine.must(
      [
        "exec",
        machine.id,
        "sh",
        "-c",
        `ip addr del ${ip}/32 dev eth0 2>/dev/null || ! ip -4 -o addr show dev eth0 | grep -qF ' ${ip}/'`,
      ],
      { timeout: 20 },
    );
  }

  async function describe(project: string, network: ProjectNetwork): Promise<ProjectAddress> {
    const loopback = async (port: number, scheme: string) => {
      const shown = await engine.run(["port", gatewayName(project), `${port}/tcp`]);
      const hostPort = /:(\d+)\s*$/.exec(shown.stdout.split("\n")[0] ?? "")?.[1];
      return shown.code === 0 && hostPort !== undefined ? [`${scheme}://127.0.0.1:${hostPort}/`] : [];
    };
    const direct = engine.rootless ? [] : [`http://${network.address}/`, `https://${network.address}/`];
    return {
      ip: network.address,
      urls: [...direct, ...(await loopback(80, "http")), ...(await loopback(443, "https"))],
    };
  }

  async function ensureGateway(project: string, network: ProjectNetwork): Promise<void> {
    const name = gatewayName(project);
    const shown = await engine.run(["container", "inspect", "--format", "{{.State.Running}}", name]);
    if (shown.code === 0 && shown.stdout.trim() === "true") return;
    if (shown.code === 0) {
      await engine.must(["start", name]);
      return;
    }
    const ports = [...(await publish(settings.httpPort, 80)), ...(await publish(settings.httpsPort, 443))];
    if (ports.length === 0) return;
    const { image, flags } = await settings.gateway();
    const forward = (port: number) =>
      `systemd-socket-activate -l 0.0.0.0:${port} /lib/systemd/systemd-socket-proxyd ${network.address}:${port} &`;
    const plain = flags.container.filter((flag) => !flag.startsWith("--systemd"));
    const made = await engine.run([
      ...flags.global,
      "run",
      "-d",
      "--name",
      name,
      "--hostname",
      "gateway",
      "--network",
      networkName(project),
      "--label",
      `${PROJECT_LABEL}=${project}`,
      ...plain,
      ...ports,
      image,
      "sh",
      "-c",
      `${forward(80)} ${forward(443)} wait`,
    ]);
    if (made.code === 0) return;
    await engine.run(removal(engine, name));
    throw new SummitError("remote", "the gateway for the project's loopback ports could not be started", {
      details: made.stderr.trim().split("\n").slice(-3),
      hint: "summitctl doctor",
    });
  }
}

async function publish(hostPort: number | undefined, port: number): Promise<string[]> {
  if (hostPort === 0) return [];
  if (hostPort === undefined) return ["-p", `127.0.0.1::${port}`];
  if (!(await isFree(hostPort))) {
    throw new SummitError("check", `port ${hostPort} of this computer is taken`, {
      hint: "set another one in summit.yaml, or leave it out for a free one: address: { http_port: 8081, https_port: 8444 }",
    });
  }
  return ["-p", `127.0.0.1:${hostPort}:${port}`];
}

/** Whether a loopback port of this computer can be taken. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });

/** Seconds for a machine that has just booted on a busy computer. */
const ANSWER_PATIENCE = 20;

/** Resolves once the new holder accepts connections under the address: sshd does on every machine. */
async function waitForPort(host: string, port: number): Promise<void> {
  for (const deadline = Date.now() + ANSWER_PATIENCE * 1000; Date.now() < deadline; ) {
    if (await accepts(host, port)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new SummitError("remote", `the address ${host} was moved but does not answer from this computer`, {
    hint: "summitctl status    # then run the same command again",
  });
}

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once("connect", () => end(true))
      .once("error", () => end(false))
      .once("timeout", () => end(false));
  });

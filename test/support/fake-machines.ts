import { randomBytes } from "node:crypto";
import { SummitError } from "../../src/core/errors.ts";
import type { AddressPort, GoldenImage, Machine, MachineProvider, MachineSpec } from "../../src/core/ports/machines.ts";

export interface FakeMachines {
  readonly machines: MachineProvider;
  readonly address: AddressPort;
  /** As a killed `create` leaves it. */
  leaveUnbooted(spec: MachineSpec): void;
}

/** Machines that are records. Passes the contract; golden scripts may only `echo` and `exit`. */
export function fakeMachines(): FakeMachines {
  const all = new Map<string, Machine>();
  const images = new Map<string, GoldenImage>();
  const reserved = new Set<string>();
  const held = new Map<string, string>();
  let made = 0;

  const nameOf = ({ project, environment, name }: Pick<Machine, "project" | "environment" | "name">): string =>
    [project, environment, name].join("/");
  const shown = (project: string) => ({ ip: "10.0.0.200", urls: [`http://${project}.test/`] });

  function record(spec: MachineSpec, booted: boolean): Machine {
    made += 1;
    const { project, environment, name, units, generation } = spec;
    const machine: Machine = {
      id: randomBytes(8).toString("hex"),
      project,
      environment,
      name,
      units,
      generation,
      createdAt: new Date(),
      booted,
      ...power(booted, made),
    };
    all.set(nameOf(spec), machine);
    return machine;
  }

  const machines: MachineProvider = {
    kind: "fake",
    limits: async () => [],
    checks: async () => [],
    base: async () => ({ image: "fake", digest: "fake", architecture: "x64" }),
    findGolden: async (key) => images.get(key),
    async buildGolden({ script, keys }) {
      if (/^exit [^0]/m.test(script)) throw new SummitError("remote", "building a machine image failed");
      const image = { image: "fake-golden", createdAt: new Date() };
      const stdout = [...script.matchAll(/^echo (.*)$/gm)].map(([, words]) => `${words}\n`).join("");
      for (const key of keys(stdout)) images.set(key, image);
      return image;
    },
    async create(spec) {
      const existing = all.get(nameOf(spec));
      if (existing?.booted !== true) return record(spec, true);
      if (existing.state === "running") return existing;
      made += 1;
      const started = { ...existing, ...power(true, made) };
      all.set(nameOf(spec), started);
      return started;
    },
    list: async ({ project, environment }) =>
      [...all.values()].filter(
        (one) => one.project === project && (environment ?? one.environment) === one.environment,
      ),
    hostKeys: async (machine) => (machine.state === "running" ? [`ssh-ed25519 ${machine.id}`] : undefined),
    console: async (machine) => (machine.state === "running" ? ["fake: started"] : []),
    async stop(machine) {
      const known = all.get(nameOf(machine));
      if (known !== undefined) all.set(nameOf(machine), { ...known, ...power(false, 0) });
      if (held.get(machine.project) === machine.id) held.delete(machine.project);
    },
    async remove(machine) {
      if (all.get(nameOf(machine))?.id === machine.id) all.delete(nameOf(machine));
      if (held.get(machine.project) === machine.id) held.delete(machine.project);
    },
  };

  const address: AddressPort = {
    async reserve(project) {
      reserved.add(project);
      return shown(project);
    },
    find: async (project) => (reserved.has(project) ? shown(project) : undefined),
    holder: async (project) => [...all.values()].find(({ id }) => id === held.get(project)),
    async assign(project, machine) {
      reserved.add(project);
      held.set(project, machine.id);
    },
    release: async (project) => void held.delete(project),
    async remove(project) {
      if ([...all.values()].some((machine) => machine.project === project)) {
        throw new SummitError("check", "the project's address is kept", { hint: "summitctl status" });
      }
      reserved.delete(project);
      held.delete(project);
    },
  };
  return { machines, address, leaveUnbooted: (spec) => void record(spec, false) };
}

const power = (on: boolean, number: number): Pick<Machine, "state" | "endpoint" | "privateAddress"> =>
  on
    ? { state: "running", endpoint: { host: `10.0.0.${number}`, port: 22 }, privateAddress: `10.0.0.${number}` }
    : { state: "stopped", endpoint: undefined, privateAddress: undefined };

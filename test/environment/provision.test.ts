import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine, MachineProvider } from "../../src/core/ports/machines.ts";
import type { Shell, ShellConnector, ShellTarget } from "../../src/core/ports/shell.ts";
import { type ProvisionDeps, provision } from "../../src/environment/provision.ts";
import { type StateStore, stateStore } from "../../src/environment/state.ts";
import { createSshConnector } from "../../src/providers/shell/ssh-connector.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { fakeOutput } from "../support/fake-output.ts";
import { openLocal, podman, podmanAvailable, randomProject, removeProject } from "../support/podman.ts";
import { makeKey } from "../support/sshd.ts";

/** Between the two renames of the new key, where only a power cut can stop it. */
const HALF_RENAMED = "cd /etc/ssh && mv -f summitctl_next ssh_host_ed25519_key";

describe.skipIf(!podmanAvailable)("a real machine and its host key", () => {
  const project = randomProject();
  const { signal } = new AbortController();
  let folder: string;
  let machines: MachineProvider;
  let image: string;
  let connector: ShellConnector;
  let state: StateStore;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-rotation-"));
    ({ machines } = await openLocal());
    ({ image } = await machines.base(fakeOutput().task("base")));
    connector = createSshConnector({
      keyFiles: [await makeKey(join(folder, "operator"))],
      agentSocket: undefined,
      signal,
    });
    state = stateStore(fileStore(`file://${folder}/store`), project, "0.1.0");
  }, 900_000);
  afterAll(async () => {
    await removeProject(project);
    await rm(folder, { recursive: true, force: true });
  }, 120_000);

  const run = (name: string, deps: Partial<ProvisionDeps> = {}) =>
    provision(
      {
        project,
        environment: "production",
        name,
        units: [`${name}/0`],
        generation: 0,
        image,
        user: "summit",
        admins: [],
      },
      { machines, connector, state, signal, ...deps },
    );

  /** Throws after the given number of acts: commands on the machine, connections and writes of the state. */
  function crashing(after: number): Partial<ProvisionDeps> {
    let left = after;
    const act = async <T>(done: Promise<T>): Promise<T> => {
      const result = await done;
      left -= 1;
      if (left === 0) throw new Error("crashed");
      return result;
    };
    const fragile = (shell: Shell): Shell => ({
      hostKey: shell.hostKey,
      run: (argv, options) => shell.run(argv, options),
      open: (argv, options) => shell.open(argv, options),
      must: (argv, options) => act(shell.must(argv, options)),
      [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
    });
    return {
      connector: { ...connector, connect: async (target) => fragile(await act(connector.connect(target))) },
      state: { ...state, update: (environment, change) => act(state.update(environment, change)) },
    };
  }

  async function expectRotated(name: string): Promise<void> {
    const reached = await run(name);
    await reached.shell[Symbol.asyncDispose]();
    const known = (await state.read("production")).machines[name];
    expect(known).toEqual({ id: known?.id ?? reached.machine.id, hostKeys: [reached.shell.hostKey] });
    expect(await machines.hostKeys(reached.machine)).toEqual([reached.shell.hostKey]);
    // A computer has room for some 18 systemds (fs.inotify.max_user_instances), and others are tested meanwhile.
    await machines.remove(reached.machine);
  }

  test("the boot key is refused afterwards, also after a restart, and left nowhere on the machine", async () => {
    let bootKey = "";
    const { machine, shell } = await run("whole-0", {
      state: {
        ...state,
        update: async (environment, change) => {
          const next = await state.update(environment, change);
          bootKey = next.machines["whole-0"]?.bootKey ?? bootKey;
          return next;
        },
      },
    });
    expect(bootKey).toMatch(/^ssh-ed25519 /);
    expect(shell.hostKey).not.toBe(bootKey);
    const base64 = bootKey.split(" ")[1] ?? "";
    const found = await shell.run(["grep", "-rlF", "--", base64, "/etc", "/var/lib/cloud", "/run/cloud-init"]);
    expect(found.stdout).toBe("");
    await shell[Symbol.asyncDispose]();
    await machines.stop(machine);
    const again = await run("whole-0");
    expect(again.shell.hostKey).toBe(shell.hostKey);
    await again.shell[Symbol.asyncDispose]();
    const { endpoint } = again.machine;
    if (endpoint === undefined) throw new Error("no endpoint");
    const refused = connector.connect({ name: "whole-0", endpoint, user: "summit", hostKeys: [bootKey] });
    await expect(refused).rejects.toMatchObject({
      kind: "remote",
      message: expect.stringContaining("another host key"),
    });
    await machines.remove(again.machine);
  }, 120_000);

  // 1 boot key saved, 2 connected, 3 next key made, 4 both saved, 5 in use, 6 connected by it, 7 boot key forgotten.
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "a crash after act %d: run again, it completes",
    async (after) => {
      const name = `crash-${after}`;
      await expect(run(name, crashing(after))).rejects.toThrow("crashed");
      await expectRotated(name);
    },
    60_000,
  );

  test("a power cut between the two renames of the key: run again, it completes", async () => {
    await expect(run("cut-0", crashing(4))).rejects.toThrow("crashed");
    const [machine] = (await machines.list({ project })).filter(({ name }) => name === "cut-0");
    const { hostKeys } = (await state.read("production")).machines["cut-0"] ?? {};
    if (machine?.endpoint === undefined || hostKeys?.[0] === undefined) throw new Error("no machine");
    const shell = await connector.connect({
      name: "cut-0",
      endpoint: machine.endpoint,
      user: "summit",
      hostKeys: [hostKeys[0]],
    });
    await shell.must(["sh", "-c", HALF_RENAMED]);
    await shell[Symbol.asyncDispose]();
    await machines.stop(machine);
    await expectRotated("cut-0");
  }, 120_000);

  test("a state that was lost is told by the provider and pinned again", async () => {
    const { shell } = await run("lost-0");
    await shell[Symbol.asyncDispose]();
    await state.remove("production");
    await expectRotated("lost-0");
  }, 120_000);

  /** Host keys that are gone keep sshd from starting, as a boot that failed does. */
  const breakSshd = (machine: Machine) =>
    podman("exec", machine.id, "sh", "-c", "rm -f /etc/ssh/ssh_host_*; systemctl restart ssh 2>/dev/null; true");
  const hasty = (): Partial<ProvisionDeps> => ({
    connector: { ...connector, connect: (target) => connector.connect({ ...target, patience: 2 }) },
  });
  const named = async (name: string): Promise<Machine> => {
    const machine = (await machines.list({ project })).find((one) => one.name === name);
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  };

  test("a machine that never let anybody in, and does not, is made anew", async () => {
    await expect(run("mute-0", crashing(2))).rejects.toThrow("crashed");
    const mute = await named("mute-0");
    await breakSshd(mute);
    // The one that is made instead gets the time that it needs.
    const patient = (target: ShellTarget) =>
      connector.connect(target.endpoint.host === mute.endpoint?.host ? { ...target, patience: 2 } : target);
    const { machine, shell, created } = await run("mute-0", { connector: { ...connector, connect: patient } });
    expect([created, machine.id === mute.id]).toEqual([true, false]);
    await shell[Symbol.asyncDispose]();
    await machines.remove(machine);
  }, 120_000);

  test("a machine that was in use and does not answer is left alone, and what it says is told", async () => {
    const { machine, shell } = await run("used-0");
    await shell[Symbol.asyncDispose]();
    await breakSshd(machine);
    await expect(run("used-0", hasty())).rejects.toMatchObject({
      kind: "remote",
      message: expect.stringContaining("ECONNREFUSED"),
      details: expect.arrayContaining([expect.stringMatching(/^used-0 says: .*ssh\.service/)]),
    });
    expect((await named("used-0")).id).toBe(machine.id);
    await machines.remove(machine);
  }, 120_000);
});

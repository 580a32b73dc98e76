import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AddressPort, Machine, MachineProvider, MachineSpec } from "../../src/core/ports/machines.ts";
import { fakeOutput } from "../support/fake-output.ts";

export interface MachinesUnderTest {
  readonly machines: MachineProvider;
  readonly address: AddressPort;
  /** An image that boots. */
  readonly image: string;
  /** Leaves a machine behind that was made and never started, as a killed `create` does. */
  leaveUnbooted(spec: MachineSpec): Promise<void>;
  /** Removes everything that is left of these golden images and projects. */
  cleanup(left: { keys: readonly string[]; projects: readonly string[] }): Promise<void>;
}

const BOOT = 60_000;

/** What every provider of machines and of the project's address promises. */
export function describeMachines(name: string, setup: () => Promise<MachinesUnderTest>): void {
  describe(`machines contract: ${name}`, () => {
    const project = `t${randomBytes(4).toString("hex")}`;
    const other = `${project}-other`;
    const keys = [1, 2, 3].map(() => randomBytes(32).toString("hex")) as [string, string, string];
    let under: MachinesUnderTest;
    let machines: MachineProvider;
    let address: AddressPort;

    const spec = (changes: Partial<MachineSpec> = {}): MachineSpec => ({
      project,
      environment: "production",
      name: "web-0",
      units: ["web/0", "cache/0"],
      generation: 3,
      image: under.image,
      userData: "#cloud-config\nssh_genkeytypes: [ed25519]\n",
      ...changes,
    });
    const names = async (filter: { project: string; environment?: string }): Promise<string[]> =>
      (await machines.list(filter)).map((machine) => `${machine.environment} ${machine.name}`).sort();
    const only = async (environment: string, machineName = "web-0"): Promise<Machine> => {
      const found = (await machines.list({ project, environment })).filter((machine) => machine.name === machineName);
      expect(found).toHaveLength(1);
      return found[0] as Machine;
    };

    beforeAll(async () => {
      under = await setup();
      ({ machines, address } = under);
    }, 900_000);
    afterAll(() => under?.cleanup({ keys, projects: [project, other] }), BOOT);

    test("a project that was never used has nothing", async () => {
      expect(await machines.list({ project })).toEqual([]);
      expect(await address.find(project)).toBeUndefined();
      expect(await address.holder(project)).toBeUndefined();
      await address.release(project);
      await address.remove(project);
    });

    test(
      "create gives a running machine that is what was asked for",
      async () => {
        const machine = await machines.create(spec());
        expect(machine).toMatchObject({
          project,
          environment: "production",
          name: "web-0",
          units: ["web/0", "cache/0"],
          generation: 3,
          state: "running",
          booted: true,
        });
        expect(machine.endpoint?.port).toBeGreaterThan(0);
        expect(machine.privateAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        expect(Math.abs(Date.now() - machine.createdAt.getTime())).toBeLessThan(BOOT);
        expect(await only("production")).toEqual(machine);
      },
      BOOT,
    );

    test(
      "create again returns the same machine",
      async () => {
        const before = await only("production");
        expect(await machines.create(spec({ userData: "" }))).toEqual(before);
      },
      BOOT,
    );

    test(
      "list keeps projects and environments apart",
      async () => {
        await Promise.all([machines.create(spec({ environment: "spare" })), machines.create(spec({ project: other }))]);
        expect(await names({ project })).toEqual(["production web-0", "spare web-0"]);
        expect(await names({ project, environment: "spare" })).toEqual(["spare web-0"]);
        expect(await names({ project: other })).toEqual(["production web-0"]);
        expect(await names({ project: project.slice(0, 4) })).toEqual([]);
      },
      BOOT,
    );

    test(
      "a machine that was made and never started is made anew",
      async () => {
        await under.leaveUnbooted(spec({ name: "left-0" }));
        const left = await only("production", "left-0");
        expect(left).toMatchObject({ booted: false, state: "stopped", endpoint: undefined });
        const made = await machines.create(spec({ name: "left-0" }));
        expect(made).toMatchObject({ booted: true, state: "running" });
        expect(made.id).not.toBe(left.id);
        await machines.remove(made);
      },
      BOOT,
    );

    test(
      "stop is a power cut, create is the switch",
      async () => {
        const machine = await only("production");
        await machines.stop(machine);
        await machines.stop(machine);
        const stopped = await only("production");
        expect(stopped).toMatchObject({
          id: machine.id,
          state: "stopped",
          booted: true,
          endpoint: undefined,
          privateAddress: undefined,
        });
        expect(await machines.hostKeys(stopped)).toBeUndefined();
        expect(await machines.console(stopped)).toEqual([]);
        const started = await machines.create(spec({ userData: "" }));
        expect(started).toMatchObject({ id: machine.id, state: "running" });
        expect(started.endpoint).toBeDefined();
      },
      BOOT,
    );

    test(
      "the address is reserved, held by one, moved, released",
      async () => {
        const [production, spare] = [await only("production"), await only("spare")];
        const reserved = await address.reserve(project);
        expect(await address.reserve(project)).toEqual(reserved);
        expect(await address.find(project)).toEqual(reserved);
        expect(reserved.urls.length).toBeGreaterThan(0);
        expect(await address.holder(project)).toBeUndefined();
        for (const machine of [production, production, spare, production]) {
          await address.assign(project, machine);
          expect((await address.holder(project))?.id).toBe(machine.id);
        }
        await address.release(project);
        await address.release(project);
        expect(await address.holder(project)).toBeUndefined();
        expect(await address.find(project)).toEqual(reserved);
      },
      BOOT,
    );

    test(
      "a machine that restarts comes back without the address",
      async () => {
        const production = await only("production");
        await address.assign(project, production);
        await machines.stop(production);
        expect(await address.holder(project)).toBeUndefined();
        await machines.create(spec({ userData: "" }));
        expect(await address.holder(project)).toBeUndefined();
      },
      BOOT,
    );

    test("the address is kept while machines exist", async () => {
      await expect(address.remove(project)).rejects.toMatchObject({ kind: "check", hint: "summitctl status" });
      expect(await address.find(project)).toBeDefined();
    });

    test(
      "remove forgets machines, then the address; each may be repeated",
      async () => {
        const all = await machines.list({ project });
        await Promise.all(all.map((machine) => machines.remove(machine)));
        for (const machine of all) await machines.remove(machine);
        expect(await machines.list({ project })).toEqual([]);
        await address.remove(project);
        await address.remove(project);
        expect(await address.find(project)).toBeUndefined();
        expect(await names({ project: other })).toEqual(["production web-0"]);
      },
      BOOT,
    );

    test("a golden image is found under all of its keys, and machines start from it", async () => {
      const task = fakeOutput().task("image");
      expect(await machines.findGolden(keys[0])).toBeUndefined();
      const seen: string[] = [];
      const built = await machines.buildGolden(
        {
          folders: {},
          script: `echo ${keys[1]}`,
          keys: (stdout) => {
            seen.push(stdout);
            return [keys[0], stdout.trim()];
          },
        },
        task,
      );
      expect(seen).toEqual([`${keys[1]}\n`]);
      for (const key of [keys[0], keys[1]]) {
        const found = await machines.findGolden(key);
        expect(Math.abs(Date.now() - (found?.createdAt.getTime() ?? 0))).toBeLessThan(120_000);
      }
      const machine = await machines.create(spec({ project: other, name: "golden-0", image: built.image }));
      expect(machine.state).toBe("running");
    }, 180_000);

    test(
      "a golden image whose script fails does not exist",
      async () => {
        const task = fakeOutput().task("image");
        const recipe = { folders: {}, script: "exit 3", keys: (): readonly [string] => [keys[2]] };
        await expect(machines.buildGolden(recipe, task)).rejects.toMatchObject({ kind: "remote" });
        expect(await machines.findGolden(keys[2])).toBeUndefined();
      },
      BOOT,
    );
  });
}

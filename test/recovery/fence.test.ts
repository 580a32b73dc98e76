import { beforeEach, expect, test } from "vitest";
import { SummitError } from "../../src/core/errors.ts";
import type { Machine } from "../../src/core/ports/machines.ts";
import type { Shell, ShellTarget, TerminalConnector } from "../../src/core/ports/shell.ts";
import { stateStore, withMachine } from "../../src/environment/state.ts";
import { fence } from "../../src/recovery/fence.ts";
import { type FakeMachines, fakeMachines } from "../support/fake-machines.ts";
import { type FakeOutput, fakeOutput } from "../support/fake-output.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { projectWith, specOf } from "./recovery-fixture.ts";

const UNITS = ["postgresql/0", "memcached/0", "summit/0", "haproxy/0"];

let fake: FakeMachines;
let store: MemoryStore;
let out: FakeOutput;
/** What was done to machines, in order. */
let done: string[];
beforeEach(async () => {
  fake = fakeMachines();
  store = memoryStore();
  out = fakeOutput();
  done = [];
  const state = stateStore(store, "conference", "0.1.0");
  for (const unit of UNITS) {
    const { name, id } = await fake.machines.create(specOf("production", unit));
    await state.update("production", (kept) => withMachine(kept, name, { id, hostKeys: [`ssh-ed25519 ${name}`] }));
  }
});

interface Trouble {
  /** Units whose machine cannot be logged in to. */
  readonly unreachable?: readonly string[];
  /** Units whose stop hook fails. */
  readonly stubborn?: readonly string[];
  /** Units whose machine goes on running. */
  readonly immortal?: readonly string[];
}

async function run({ unreachable = [], stubborn = [], immortal = [] }: Trouble = {}): Promise<void> {
  const stop = async (machine: Machine) => {
    if (immortal.includes(machine.units[0] ?? "")) return;
    done.push(`cut ${machine.units}`);
    await fake.machines.stop(machine);
  };
  const connect = async ({ name }: ShellTarget) => {
    const unit = name.split(" ")[1] ?? "";
    if (unreachable.includes(unit)) throw new SummitError("remote", "connection refused");
    return shellOf(unit, stubborn.includes(unit));
  };
  await fence(await projectWith(), "production", {
    stores: async () => [store],
    machines: async () => ({ ...fake.machines, stop }),
    connector: async () => ({ connect }) as unknown as TerminalConnector,
    version: "0.1.0",
    signal: new AbortController().signal,
    out,
  });
}

/** Takes the script of hooks, as a machine would, and does nothing. */
const shellOf = (unit: string, fails: boolean): Shell =>
  ({
    async run(_argv: unknown, { input }: { input: string }) {
      const hooks = /^for hook in (.*); do$/m.exec(input)?.[1];
      done.push(`${hooks} ${unit}`);
      return fails ? { code: 1, stdout: "", stderr: "it hangs" } : { code: 0, stdout: "\nchanges\n", stderr: "" };
    },
    [Symbol.asyncDispose]: async () => undefined,
  }) as unknown as Shell;

const states = async () => (await fake.machines.list({ project: "conference" })).map(({ state }) => state);

test("services stop front first, so that nothing is accepted that would be lost; then the machines", async () => {
  await run();
  expect(done.slice(0, 2)).toEqual(["stop haproxy/0", "stop summit/0"]);
  expect(done.indexOf("stop postgresql/0")).toBeGreaterThan(done.indexOf("stop summit/0"));
  const cuts = done.map((what) => what.startsWith("cut "));
  expect(cuts).toEqual([false, false, false, false, true, true, true, true]);
  expect(await states()).toEqual(["stopped", "stopped", "stopped", "stopped"]);
  expect(out.warnings).toEqual([]);
});

test("a machine that cannot be asked is stopped from outside, and that is said", async () => {
  await run({ unreachable: ["summit/0"], stubborn: ["postgresql/0"] });
  expect(await states()).toEqual(["stopped", "stopped", "stopped", "stopped"]);
  expect(out.warnings).toHaveLength(2);
  expect(out.warnings.join("\n")).toContain("production summit-0 could not be asked to stop");
});

test("a machine that goes on running keeps the address from being moved", async () => {
  await expect(run({ immortal: ["haproxy/0"] })).rejects.toMatchObject({
    kind: "incomplete",
    message: '"production" still has 1 running machines, the address was not moved',
  });
});

test("of what is down already nothing is asked", async () => {
  for (const machine of await fake.machines.list({ project: "conference" })) await fake.machines.stop(machine);
  await run();
  expect(done).toEqual([]);
});

test("only what runs is asked, and other environments are left alone", async () => {
  const other = await fake.machines.create(specOf("spare", "haproxy/0"));
  const [first] = await fake.machines.list({ project: "conference", environment: "production" });
  if (first !== undefined) await fake.machines.stop(first);
  await run();
  expect(done).not.toContain("stop postgresql/0");
  expect(await fake.machines.list({ project: "conference", environment: "spare" })).toEqual([other]);
});

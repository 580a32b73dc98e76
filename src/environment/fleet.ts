import { SummitError } from "../core/errors.ts";
import type { Machine } from "../core/ports/machines.ts";
import type { Task } from "../core/ports/output.ts";
import type { Shell } from "../core/ports/shell.ts";
import { type HookFacts, hookEnvironment } from "../stack/hook-environment.ts";
import type { HookName } from "../stack/pack-types.ts";
import { askHealth, runHooks, type UnitHealth } from "../stack/run-hooks.ts";
import { type Stack, type StackService, type StackUnit, startWaves } from "../stack/stack.ts";

export interface FleetUnit {
  readonly unit: StackUnit;
  readonly machine: Machine;
  readonly shell: Shell;
  readonly created: boolean;
  /** What hooks changed so far. */
  readonly changes: string[];
  /** One line of progress for everything that happens to this unit. */
  readonly task: Task;
}

/** The machines of an environment with open connections, ready for hooks. Disposing closes the connections. */
export class Fleet implements AsyncDisposable {
  readonly environment: string;
  readonly stack: Stack;
  readonly units: readonly FleetUnit[];
  readonly facts: HookFacts;
  readonly #signal: AbortSignal;

  constructor(units: readonly FleetUnit[], facts: HookFacts, signal: AbortSignal) {
    this.environment = facts.stack.environment;
    this.stack = facts.stack;
    this.units = units;
    this.facts = facts;
    this.#signal = signal;
  }

  /** The same machines, told something else: that the data is there now. */
  with(facts: Partial<HookFacts>): Fleet {
    return new Fleet(this.units, { ...this.facts, ...facts }, this.#signal);
  }

  unitsOf(service: StackService): FleetUnit[] {
    return this.units.filter(({ unit }) => unit.service === service);
  }

  leaderOf(service: StackService): FleetUnit {
    const leader = this.units.find(({ unit }) => unit.service === service && unit.leader);
    if (leader === undefined) throw new SummitError("unexpected", `${service.name} has no unit 0`);
    return leader;
  }

  async runHooks(member: FleetUnit, hooks: readonly HookName[]): Promise<void> {
    member.task.progress({ text: hooks.join(", ") });
    try {
      member.changes.push(...(await runHooks(member.shell, this.#run(member, hooks))));
    } catch (error) {
      member.task.fail();
      throw error;
    }
  }

  async health(member: FleetUnit): Promise<UnitHealth> {
    return await askHealth(member.shell, this.#run(member, []));
  }

  /** Configures every unit at once, then starts services in waves, the leader of each first: it migrates. */
  async start(services: readonly StackService[] = this.stack.services): Promise<void> {
    await Promise.all(
      this.units
        .filter(({ unit }) => services.includes(unit.service))
        .map((member) => this.runHooks(member, ["configure"])),
    );
    for (const wave of startWaves(this.stack)) {
      await Promise.all(
        wave
          .filter((service) => services.includes(service))
          .map(async (service) => {
            const [leader, ...others] = this.unitsOf(service).sort((a, b) => a.unit.index - b.unit.index);
            if (leader !== undefined) await this.runHooks(leader, ["start"]);
            await Promise.all(others.map((member) => this.runHooks(member, ["start"])));
          }),
      );
    }
  }

  /** Resolves once every unit says that it is healthy. Throws kind `verification` after `seconds`. */
  async waitHealthy(seconds: number, services: readonly StackService[] = this.stack.services): Promise<void> {
    await Promise.all(
      this.units
        .filter(({ unit }) => services.includes(unit.service))
        .map(async (member) => {
          member.task.progress({ text: "waiting for health" });
          const deadline = Date.now() + seconds * 1000;
          for (;;) {
            this.#signal.throwIfAborted();
            const { healthy, message } = await this.health(member);
            if (healthy) {
              member.task.done(message);
              return;
            }
            member.task.progress({ text: message });
            if (Date.now() > deadline) {
              member.task.fail(message);
              throw new SummitError(
                "verification",
                `${this.environment} ${member.unit.name} did not become healthy within ${seconds} s: ${message}`,
                {
                  hint: `summitctl ssh -e ${this.environment} ${member.unit.name} -- sudo journalctl -n 50`,
                },
              );
            }
            await new Promise((resolve) => setTimeout(resolve, 250));
          }
        }),
    );
  }

  #run({ unit }: FleetUnit, hooks: readonly HookName[]) {
    return {
      unit: `${this.environment} ${unit.name}`,
      hooks,
      environment: hookEnvironment(this.facts, unit),
      signal: this.#signal,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.units.map(({ shell }) => shell[Symbol.asyncDispose]()));
  }
}

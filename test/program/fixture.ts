import { setTimeout as delay } from "node:timers/promises";
import { SummitError } from "../../src/core/errors.ts";
import { main } from "../../src/main.ts";
import { buildProgram } from "../../src/program.ts";

/** The real program with verbs that behave as real ones may: run by main.test.ts in a process of its own. */
process.exitCode = await main(process.argv.slice(2), (deps) => {
  const program = buildProgram(deps);
  const aborted = (): Promise<void> => delay(60_000, undefined, { signal: deps.signal }).then(() => {});

  program.command("wait").action(async () => {
    deps.out.task("waiting");
    deps.out.note("ready");
    await aborted().catch(() => {
      throw new SummitError("interrupted", "stopped between two steps", { hint: "summitctl wait --resume" });
    });
  });
  program.command("wait-carelessly").action(async () => {
    deps.out.note("ready");
    await aborted();
  });
  program.command("deaf").action(async () => {
    deps.out.note("ready");
    await delay(60_000);
  });
  program.command("finish").action(async () => {
    deps.out.note("ready");
    await aborted().catch(() => {});
    deps.out.result({ schema: "summitctl.finish.v1" }, () => [{ text: "finished" }]);
  });
  program.command("many").action(async () => {
    for (let line = 0; line < 20_000; line += 1) deps.out.note(`line ${line}`);
    deps.out.result({ schema: "summitctl.many.v1" }, () => [{ text: "row\n".repeat(200_000) }]);
    await delay(50);
    process.stderr.write("went on\n");
  });
  program.command("broken").action(async () => {
    void Promise.reject(new TypeError("nobody waited"));
    await delay(60_000);
  });
  program.command("fail").action(() => {
    deps.out.result({ schema: "summitctl.fail.v1" }, () => [{ text: "the answer" }]);
    throw new SummitError("missed", "RTO was missed", { details: ["took 90 s"], hint: "summitctl drill" });
  });
  program.command("nagios").action(() => deps.exitWith(3));
  program.command("ask").action(async () => void (await deps.prompt.confirm("Sure?")));
  return program;
});

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backupSummary } from "../../src/backup/backup-summary.ts";
import { composeLazily } from "../../src/compose.ts";
import { judgeSpace } from "../../src/core/free-space.ts";
import type { Check, Machine, MachineProvider } from "../../src/core/ports/machines.ts";
import { type DoctorDeps, doctorExit, doctorView, runDoctor } from "../../src/environment/doctor.ts";
import { commitGeneration } from "../../src/environment/generations.ts";
import { fileStore } from "../../src/providers/stores/file.ts";
import { fakeOutput } from "../support/fake-output.ts";

const NOW = new Date();
const EXAMPLE = fileURLToPath(new URL("../../examples/summit", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-doctor-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A summit.yaml that is right, with `more` lines; secrets and stores are replaced by those of the test. */
const summitYaml = (
  more = "",
  { store = join(folder, "store"), secret = "{ env: APP_KEY }" } = {},
): string => `schema: summitctl.config.v1
project: plumbers
stores: ["file://${store}"]
secrets: { app_key: ${secret} }
services:
  postgresql: {}
  summit: { pack: django, options: { app: { path: ${EXAMPLE}/app } }, relations: { database: postgresql } }
environments: { production: { provider: local }, spare: { provider: local } }
${more}`;

interface Setup {
  readonly checks?: readonly Check[];
  readonly machines?: readonly Pick<Machine, "name" | "state">[];
  readonly env?: NodeJS.ProcessEnv;
  readonly node?: string;
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

/** The real parts of everything but the machines, which are given. */
async function doctor(setup: Setup = {}) {
  const { checks = [], machines = [], env = { APP_KEY: "k" }, node = "20.19.0", now = NOW } = setup;
  const { signal = new AbortController().signal } = setup;
  const out = fakeOutput();
  const asked: (string | undefined)[] = [];
  const base = {
    signal,
    env: { ...env, XDG_STATE_HOME: join(folder, "state") },
    cwd: folder,
    version: "0.1.0",
    globals: () => ({ env: undefined, config: undefined, json: false, yes: false, verbose: false, color: false }),
    warn: () => undefined,
  };
  const provider = {
    kind: "local",
    checks: async (project?: string) => {
      asked.push(project);
      return checks;
    },
    limits: async () => [],
    list: async () => machines as readonly Machine[],
  } as unknown as MachineProvider;
  const deps: DoctorDeps = {
    ...composeLazily(base),
    ...base,
    out,
    now: () => now,
    computer: async () => provider,
    machines: async () => provider,
  };
  const search = { flag: undefined, env: {}, cwd: folder };
  const result = await runDoctor({ search, node, backupSummary }, deps);
  const named = (name: string) => result.checks.filter((check) => check.name === name);
  return { result, named, asked, out };
}

describe("without a project", () => {
  test("the computer alone is looked at, and that is said", async () => {
    const { result, named, asked, out } = await doctor({
      checks: [{ name: "container engine", ok: true, message: "e" }],
    });
    expect(asked).toEqual([undefined]);
    expect(result).toMatchObject({ schema: "summitctl.doctor.v1", ok: true });
    expect(result.checks.map(({ name }) => name)).toEqual(["summitctl", "container engine", "summit.yaml"]);
    expect(named("summit.yaml")).toEqual([
      {
        name: "summit.yaml",
        ok: "warning",
        message: "none here or above: only this computer was looked at",
        hint: "summitctl init",
      },
    ]);
    expect(out.tasks[0]?.state).toBe("done");
  });

  test("an old node is a failed check", async () => {
    const { result, named } = await doctor({ node: "20.18.1" });
    expect(named("summitctl")[0]).toMatchObject({
      ok: false,
      message: "0.1.0 on node 20.18.1, expected 20.19.0 or newer",
    });
    expect(doctorExit(result)).toBe(4);
  });
});

test("a project in order: a line for everything, nothing made but the store's folder", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml());
  const { result, asked } = await doctor();
  expect(asked).toEqual(["plumbers"]);
  expect(result.checks.filter(({ ok }) => ok !== true)).toEqual([
    expect.objectContaining({ name: "stores", message: expect.stringContaining("every store is on this computer") }),
  ]);
  expect(result.checks.map(({ name }) => name)).toEqual([
    "summitctl",
    "summit.yaml",
    "packs",
    "source summit.app",
    "summit.lock",
    "secret app_key",
    "ssh keys",
    `store file://${join(folder, "store")}`,
    "stores",
    "environment production",
    "environment spare",
  ]);
  expect(doctorExit(result)).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(["store", "summit.yaml"]);
  const left = await readdir(join(folder, "store"), { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => !entry.isDirectory())).toEqual([]);
});

test("every problem of a broken summit.yaml is a line, and the computer is looked at all the same", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml("typo: 1\nfailover_to: [nowhere]\n"));
  const { named, result } = await doctor({ checks: [{ name: "container engine", ok: true, message: "e" }] });
  expect(named("summit.yaml").map(({ ok, message }) => [ok, message])).toEqual([
    [false, expect.stringMatching(/^summit\.yaml:9: typo: /)],
    [false, expect.stringMatching(/^summit\.yaml:10: failover_to\[0\]: there is no environment "nowhere"/)],
  ]);
  expect(named("container engine")).toHaveLength(1);
  expect(doctorExit(result)).toBe(4);
});

test("nothing that fails keeps the other checks away", async () => {
  const blocked = join(folder, "blocked");
  await writeFile(blocked, "a file where the store's folder should be");
  const text = summitYaml(`ssh: { keys: [${folder}/no_key] }\n`, {
    store: join(blocked, "store"),
    secret: "{ command: 'exit 3' }",
  });
  await writeFile(
    join(folder, "summit.yaml"),
    text.replace("postgresql: {}", "postgresql: { options: { majjor: 15 } }"),
  );
  const { result } = await doctor({
    checks: [{ name: "container engine", ok: false, message: "none", hint: "apt-get" }],
  });
  expect(result.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toEqual([
    "container engine",
    "packs and pins",
    "secret app_key",
    "ssh keys",
    `store file://${join(blocked, "store")}`,
  ]);
  expect(result.checks.filter(({ ok, hint }) => ok === false && hint === undefined)).toEqual([]);
});

test("a store that is not required is a warning when it fails", async () => {
  await writeFile(join(folder, "blocked"), "");
  const text = summitYaml().replace(
    /stores: \[(.*)\]/,
    `stores: [$1, { url: "file://${folder}/blocked/store", required: false }]`,
  );
  await writeFile(join(folder, "summit.yaml"), text);
  const { named, result } = await doctor();
  expect(named(`store file://${folder}/blocked/store`)).toMatchObject([
    { ok: "warning", message: expect.stringContaining("is a file") },
  ]);
  expect(result.ok).toBe(true);
});

test("a source and a pack that are not what summit.lock pins are failed checks", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml());
  const lock =
    "schema: summitctl.lock.v1\nsummitctl: { version: 0.1.0 }\nimages: {}\npackages: { postgresql: { postgresql: '15' } }\n";
  const [pack, source] = ["a".repeat(64), "b".repeat(40)];
  await writeFile(
    join(folder, "summit.lock"),
    `${lock}packs: { django: ${pack} }\nsources: { summit: { app: ${source} } }\n`,
  );
  const { named } = await doctor();
  expect(named("source summit.app")[0]).toMatchObject({
    ok: false,
    message: expect.stringContaining(`pinned to ${source}`),
  });
  expect(named("summit.lock")[0]).toMatchObject({ ok: false, message: expect.stringContaining(`pinned to ${pack}`) });
});

test("a secret that others can read is a warning with the line that mends it", async () => {
  const file = join(folder, "app_key.secret");
  await writeFile(file, "k\n", { mode: 0o644 });
  await writeFile(join(folder, "summit.yaml"), summitYaml("", { secret: `{ file: ${file} }` }));
  const { named } = await doctor();
  expect(named("secret app_key")[0]).toMatchObject({ ok: "warning", hint: `chmod 600 ${file}` });
});

test("a clock that differs from the store's is a warning", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml());
  const { result } = await doctor({ now: new Date(NOW.getTime() + 3_600_000) });
  expect(result.checks.filter(({ name, ok }) => ok === "warning" && name !== "stores")).toMatchObject([
    { message: expect.stringMatching(/differ by (1 h|59 min)/) },
  ]);
});

test("a backup that cannot be read is named", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml());
  const backup = join(folder, "store/plumbers/production/20261122T143800Z-k3x9qa");
  await mkdir(backup, { recursive: true });
  await writeFile(join(backup, "manifest.json"), "{");
  const { result } = await doctor();
  expect(result.checks.filter(({ name, ok }) => ok === "warning" && name !== "stores")).toMatchObject([
    { message: "backups that cannot be read: 20261122T143800Z-k3x9qa" },
  ]);
});

test("stopped machines of the live environment are named; those of another one stand still on purpose", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml());
  const store = fileStore(`file://${join(folder, "store")}`);
  const committed = { environment: "spare", reason: "failover", committedAt: NOW.toISOString() };
  await commitGeneration(store, "plumbers", committed, undefined);
  const { named } = await doctor({
    machines: [
      { name: "postgresql-0", state: "stopped" },
      { name: "summit-0", state: "running" },
    ],
  });
  expect(named("environment spare")[0]).toMatchObject({
    ok: "warning",
    message: "live, generation 1: 2 machines, 1 stopped: postgresql-0",
  });
  expect(named("environment production")[0]).toMatchObject({ ok: true, message: "2 machines, 1 stopped" });
});

test("an abort is thrown, not reported as a check", async () => {
  await writeFile(join(folder, "summit.yaml"), summitYaml());
  const reason = new Error("interrupted");
  await expect(doctor({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test.each([
  [10e9, true],
  [5e9, "warning"],
  [1e9, false],
])("%d free bytes are judged", (free, ok) => {
  expect(judgeSpace("/var", free, { what: "images", enough: 6e9, least: 2e9 }).ok).toBe(ok);
});

test("the view has a row per check and one per hint, and counts at the end", () => {
  const view = doctorView({
    schema: "summitctl.doctor.v1",
    ok: false,
    checks: [
      { name: "a", ok: true, message: "fine" },
      { name: "b", ok: "warning", message: "hm" },
      { name: "c", ok: false, message: "bad", hint: "mend" },
    ],
  });
  expect(view).toEqual([
    {
      head: ["check", "result", "what was found"],
      rows: [
        ["a", "ok", "fine"],
        ["b", "warning", "hm"],
        ["c", "FAILED", "bad"],
        ["", "hint", "mend"],
      ],
    },
    { text: "1 check failed, 1 warning" },
  ]);
});

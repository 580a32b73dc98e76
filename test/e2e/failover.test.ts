import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { httpGet } from "../../src/providers/http/get.ts";
import { type DemoPages, fetchSchedule } from "../../src/recovery/demo-pages.ts";
import { RICH_ROLES, richDatabase } from "../backup/rich-database.ts";
import { endAt, LiveProject } from "../support/live-project.ts";
import { podman } from "../support/podman.ts";

// The tests follow one another: one project lives through all of it.

const http = httpGet(new AbortController().signal);
const ROLES = ["pg_dumpall", "--roles-only", "--no-role-passwords"] as const;
const FORCED = ["--force", "--reason", "the test says so"] as const;

let live: LiveProject;
let url: string;
let ip: string;
let page: DemoPages;
let dumps: string[];
let older: string;
let newest: string;

/** Both databases, what belongs to a database as a whole, and the roles. */
const dumpsOf = async (environment: string): Promise<string[]> => {
  // Settings of roles come in the order in which the roles were made.
  const sorted = (dump: string) => dump.split("\n").sort().join("\n");
  return await Promise.all([
    live.dump(environment, "pg_dump", "summit"),
    live.dump(environment, "pg_dump", "rich"),
    live.dump(environment, "pg_dump", "-C", "--section=pre-data", "rich").then(sorted),
    live.dump(environment, ...ROLES),
  ]);
};

/** A plan that something stops: the plan, then the error that says what. */
const dryRun = async () => {
  const { exit, stdout } = await live.run(["failover", "--dry-run", "--json"]);
  return { exit, plan: JSON.parse(stdout.split("\n").at(-2) ?? "") };
};

/** Some of it may be down. */
const liveEnvironment = async () => (await live.run(["status", "--json"])).last.liveEnvironment;

beforeAll(async () => {
  live = await LiveProject.open("backup: { databases: [summit, rich] }\n");
  const { urls } = await live.must(["bootstrap", "-e", "production"]);
  url = urls[0];
  ip = new URL(url).hostname;
  const sql = `${RICH_ROLES}\nCREATE DATABASE rich ENCODING 'UTF8' TEMPLATE template0;\n\\connect rich\n${richDatabase("rich")}`;
  await Promise.all([
    live.on("production", "summit/0", ["sudo", "manage-summit", "generate_schedule", "--size", "2MB", "--seed", "1"]),
    live.on(
      "production",
      "postgresql/0",
      ["sudo", "-u", "postgres", "psql", "-Xqd", "postgres", "-v", "ON_ERROR_STOP=1"],
      sql,
    ),
  ]);
  older = (await live.must(["backup"])).manifest.id;
  newest = (await live.must(["backup"])).manifest.id;
  page = await fetchSchedule(url, http);
  dumps = await dumpsOf("production");
});

afterAll(() => live?.[Symbol.asyncDispose]());

describe("before anything is done", () => {
  /** Machines and stored objects; none of this may change anything. */
  const world = async () => ({ containers: await live.containers(), stored: await live.stored() });
  let before: Awaited<ReturnType<typeof world>>;
  beforeAll(async () => {
    before = await world();
  });

  test("a dry run shows the plan", async () => {
    const { exit, plan } = await dryRun();
    expect(exit).toBe(4);
    expect(plan).toMatchObject({
      schema: "summitctl.failover-plan.v1",
      from: "production",
      to: "spare",
      backup: newest,
    });
    expect(plan.blockers).toEqual([
      expect.objectContaining({ message: expect.stringContaining('"production" still serves') }),
    ]);
    expect(await world()).toEqual(before);
  });

  test("an environment that serves is not left without force and a reason", async () => {
    const { exit, last } = await live.run(["failover", "--yes", "--json"]);
    expect(exit).toBe(4);
    expect(last.hint).toContain("--force --reason");
    expect(await world()).toEqual(before);
  });

  test("force without a reason is a usage error", async () => {
    const { exit, last } = await live.run(["failover", "--yes", "--force", "--json"]);
    expect(exit).toBe(2);
    expect(last.hint).toContain("--reason");
  });

  test("without a terminal and without --yes nothing is asked and nothing done", async () => {
    const { exit, stderr } = await live.run(["failover", ...FORCED]);
    expect(exit).toBe(2);
    expect(stderr).toContain("--yes");
    expect(await world()).toEqual(before);
  });

  test("a secret that is missing stops the plan", async () => {
    const { exit, last } = await live.run(["failover", ...FORCED, "--yes", "--json"], { env: { APP_KEY: "" } });
    expect(exit).toBe(4);
    expect(last.message).toContain("app_key");
    expect(await world()).toEqual(before);
  });

  test("a store that is not there does not lead to a bootstrap", async () => {
    await rename(live.store, `${live.store}-away`);
    const { exit, last } = await live.run(["failover", "--yes", "--json"]);
    await rename(`${live.store}-away`, live.store);
    expect(exit).toBe(7);
    expect(last.hint).toMatch(/^findmnt -T /);
    expect(last.details.join()).toContain("not mounted");
    expect(await world()).toEqual(before);
  });

  test("a newest backup that was cut is refused, and the older one is named", async () => {
    const file = join(live.store, live.name, "production", newest, await memberOf(newest, "summit"));
    await rename(file, `${file}-away`);
    const cut = await open(file, "w");
    await cut.write("BZh9");
    await cut.close();
    const { exit, last } = await live.run(["failover", ...FORCED, "--yes", "--json"]);
    await rename(`${file}-away`, file);
    expect(exit).toBe(4);
    expect(last.message).toContain("is damaged");
    expect(last.hint).toBe(`summitctl failover --to spare --backup ${older}`);
    expect(await world()).toEqual(before);
  });

  test("a newest backup that was altered is refused while production still serves", async () => {
    const file = join(live.store, live.name, "production", newest, await memberOf(newest, "summit"));
    await flipByte(file, 4000);
    const { exit, last } = await live.run(["failover", ...FORCED, "--yes", "--json"]);
    await flipByte(file, 4000);
    expect(exit).toBe(8);
    expect(last.hint).toBe(
      `summitctl destroy -e spare --confirm spare && summitctl failover --to spare --backup ${older}`,
    );
    expect(await liveEnvironment()).toBe("production");
    expect((await fetchSchedule(url, http, page.schedule)).html).toBe(page.html);
    expect(await live.containers("production")).toEqual(
      before.containers.filter((line) => line.includes("-production-")),
    );
    await live.must(["destroy", "-e", "spare", "--confirm", "spare"]);
    expect((await world()).containers).toEqual(before.containers);
  });
});

async function memberOf(id: string, database: string): Promise<string> {
  const file = (await live.stored()).find((key) => key.includes(`/${id}/${database}-`));
  if (file === undefined) throw new Error(`no file of ${database} in ${id}`);
  return file.split("/").at(-1) ?? "";
}

/** Twice is as it was. */
async function flipByte(path: string, position: number): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 255]), 0, 1, position);
  await file.close();
}

describe("production is lost", () => {
  beforeAll(() => live.cut("production"));

  test.each([
    ["machines are made", "spare postgresql/0", "SIGKILL", 137],
    ["the data is restored", /^restore summit/, "SIGINT", 130],
    ["the restored data is checked", /^check rich/, "SIGKILL", 137],
    ["the first backup is taken", /^dump summit/, "SIGKILL", 137],
  ] as const)("it is cut while %s", async (_what, title, signal, code) => {
    const { exit, last, stdout } = await live.run(["failover", "--yes", "--json"], { onEvent: endAt(title, signal) });
    expect(exit, stdout).toBe(code);
    if (signal === "SIGINT")
      expect(last).toMatchObject({ kind: "interrupted", hint: expect.stringMatching(/^summitctl failover /) });
  });

  test("the same command goes on and ends it: same page, same rows, same roles", async () => {
    const result = await live.must(["failover", "--yes"]);
    expect(result).toMatchObject({
      schema: "summitctl.failover.v1",
      from: "production",
      to: "spare",
      generation: 2,
      backup: newest,
      resumed: true,
      url,
    });
    expect((await fetchSchedule(url, http, page.schedule)).html).toBe(page.html);
    expect(await dumpsOf("spare")).toEqual(dumps);
    expect(await live.holder(ip)).toEqual([live.machine("spare", "haproxy/0")]);
    const { stores } = await live.must(["backups", "list"]);
    expect(stores[0].backups[0].manifest).toMatchObject({
      id: result.firstBackup,
      environment: "spare",
      generation: 2,
    });
  });

  test("what was killed left nothing behind", async () => {
    expect(await live.containers("spare")).toHaveLength(4);
    expect(await live.temporary()).toEqual([]);
    const { stdout } = await live.run([
      "ssh",
      "-e",
      "spare",
      "postgresql/0",
      "--",
      "sudo -u postgres psql -Atc 'select datname from pg_database order by 1'",
    ]);
    expect(stdout.split("\n").filter(Boolean)).toEqual(["postgres", "rich", "summit", "template0", "template1"]);
    const backups = new Set(
      (await live.stored()).filter((key) => key.startsWith(`${live.name}/spare/`)).map((key) => key.split("/")[2]),
    );
    expect(backups.size).toBe(1);
  });
});

describe("production comes back from the dead", () => {
  test("it does not get the address, and its backups are not the latest", async () => {
    await live.revive("production");
    // Its database takes a moment to come up after the power cut.
    const { manifest } = await vi.waitFor(() => live.must(["backup", "-e", "production"]), {
      timeout: 120_000,
      interval: 1000,
    });
    expect(manifest).toMatchObject({ environment: "production", generation: 1 });
    expect(await live.holder(ip)).toEqual([live.machine("spare", "haproxy/0")]);
    const restored = await live.must(["restore", "latest", "--to", "spare", "--database", "summit", "--as", "probe"]);
    expect(restored.backup).not.toBe(manifest.id);
    const { plan } = await dryRun();
    expect(plan).toMatchObject({ from: "spare", to: "production", backup: restored.backup });
    expect(JSON.stringify(plan.blockers)).toContain("begins with none there");
  });

  test("it is destroyed, and a machine that dies in the middle of failing back does not end it", async () => {
    await live.must(["destroy", "-e", "production", "--confirm", "production"]);
    let killed: Promise<unknown> | undefined;
    const first = await live.run(["failover", ...FORCED, "--yes", "--json"], {
      onEvent: ({ task, state }) => {
        if (state === "started" && task?.startsWith("restore summit"))
          killed ??= podman("kill", live.machine("production", "postgresql/0"));
      },
    });
    await killed;
    expect(first.exit).toBe(6);
    expect(first.last.hint).toContain(`summitctl failover --force --reason 'the test says so'`);
    expect(await liveEnvironment()).toBe("spare");
    expect((await fetchSchedule(url, http, page.schedule)).html).toBe(page.html);

    const result = await live.must(["failover", ...FORCED, "--yes"]);
    expect(result).toMatchObject({ from: "spare", to: "production", generation: 3, resumed: true, url });
    expect((await fetchSchedule(url, http, page.schedule)).html).toBe(page.html);
    expect(await dumpsOf("production")).toEqual(dumps);
    expect(await live.holder(ip)).toEqual([live.machine("production", "haproxy/0")]);
    expect((await live.containers("spare")).every((line) => line.endsWith(" exited"))).toBe(true);
  });
});

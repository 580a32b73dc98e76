import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type StateStore, stateStore, withMachine } from "../../src/environment/state.ts";
import { fileStore } from "../../src/providers/stores/file.ts";

describe("the state of an environment", () => {
  let folder: string;
  let revisions: string;
  const open = (version = "0.1.0"): StateStore => stateStore(fileStore(`file://${folder}`), "conference", version);
  const add = (name: string, store = open()) =>
    store.update("production", (state) => withMachine(state, name, { hostKeys: [`ssh-ed25519 ${name}`] }));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-state-"));
    revisions = join(folder, "conference/_state/environments/production");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("one that was never written is empty", async () => {
    expect(await open("0.1.0").read("production")).toEqual({
      schema: "summitctl.environment.v1",
      project: "conference",
      environment: "production",
      summitctl: "0.1.0",
      machines: {},
    });
  });

  test("every change is a new revision and says who made it", async () => {
    await add("web-0");
    await add("web-1", open("0.2.0"));
    await open("0.2.0").update("production", (state) => ({ ...state, machines: {} }));
    expect((await readdir(revisions)).sort()).toEqual(["00000001.json", "00000002.json", "00000003.json"]);
    const state = await open().read("production");
    expect(state.summitctl).toBe("0.2.0");
    expect(state.machines).toEqual({});
  });

  test("environments are apart, also when one's name begins another's", async () => {
    await add("web-0");
    expect((await open().read("prod")).machines).toEqual({});
    await open().remove("prod");
    expect(Object.keys((await open().read("production")).machines)).toEqual(["web-0"]);
  });

  test("changes of one process and of several at once are all kept", async () => {
    const [one, two] = [open(), open()];
    const names = Array.from({ length: 12 }, (_, index) => `web-${index}`);
    await Promise.all(names.map((name, index) => add(name, index % 2 === 0 ? one : two)));
    expect(Object.keys((await open().read("production")).machines).sort()).toEqual(names.sort());
  });

  test("a change that throws does not stop the next", async () => {
    const store = open();
    const failing = store.update("production", () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await add("web-0", store);
    expect(Object.keys((await store.read("production")).machines)).toEqual(["web-0"]);
  });

  test.each([
    ['{"schema":', "store"],
    ["", "store"],
    ["null", "check"],
    ["[]", "check"],
    ['{"schema":"summitctl.environment.v9"}', "check"],
    ['{"schema":"summitctl.environment.v1"}', "store"],
  ])("a revision with %j is refused with a hint", async (text, kind) => {
    await add("web-0");
    await writeFile(join(revisions, "00000002.json"), text);
    await expect(open().read("production")).rejects.toMatchObject({ kind, hint: expect.any(String) });
    await expect(add("web-1")).rejects.toMatchObject({ kind });
  });

  test("files that are no revisions are not read", async () => {
    await add("web-0");
    await writeFile(join(revisions, "notes.json"), "x");
    await writeFile(join(revisions, "00000002.json.bak"), "x");
    expect(Object.keys((await open().read("production")).machines)).toEqual(["web-0"]);
  });

  test("remove forgets everything, twice", async () => {
    await add("web-0");
    await open().remove("production");
    await open().remove("production");
    expect((await open().read("production")).machines).toEqual({});
  });
});

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { treeReader } from "../../src/providers/source/trees.ts";
import { deliverTree } from "../../src/stack/deliver.ts";
import { createLocalShell } from "../support/local-shell.ts";

describe("deliverTree", () => {
  let folder: string;
  const shell = createLocalShell();
  const { signal } = new AbortController();
  const read = async () => (await treeReader(signal)).read({ path: join(folder, "from") });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-deliver-"));
    await shell.must(["mkdir", join(folder, "from")]);
    await writeFile(join(folder, "from", "a file"), "one");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("once per revision; a new one replaces the old one whole", async () => {
    const to = join(folder, "to dir", "app");
    expect(await deliverTree(shell, await read(), to, signal)).toBe(true);
    expect(await deliverTree(shell, await read(), to, signal)).toBe(false);
    await rm(join(folder, "from", "a file"));
    await writeFile(join(folder, "from", "b"), "two");
    expect(await deliverTree(shell, await read(), to, signal)).toBe(true);
    expect(await readdir(to)).toEqual(["b"]);
    expect(await readdir(join(folder, "to dir"))).toEqual(["app", "app.revision"]);
  });

  test("a cut archive leaves what was there", async () => {
    const to = join(folder, "app");
    await deliverTree(shell, await read(), to, signal);
    const whole = Buffer.concat(await (await read()).archive().toArray());
    const cut = { revision: "new", archive: () => Readable.from([whole.subarray(0, 600)]) };
    await expect(deliverTree(shell, cut, to, signal)).rejects.toMatchObject({ kind: "remote" });
    expect(await readFile(join(to, "a file"), "utf8")).toBe("one");
    expect(await deliverTree(shell, await read(), to, signal)).toBe(false);
  });

  test("a delivery that was killed between its steps is done again", async () => {
    const to = join(folder, "app");
    await deliverTree(shell, await read(), to, signal);
    // As after `mv app app.old`.
    await shell.must(["sh", "-c", 'mv "$1" "$1.old"; mkdir "$1.new"; rm "$1.revision"', "sh", to]);
    expect(await deliverTree(shell, await read(), to, signal)).toBe(true);
    expect((await stat(join(to, "a file"))).isFile()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(["app", "app.revision", "from"]);
  });
});

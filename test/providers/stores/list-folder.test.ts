import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listFolder } from "../../../src/providers/stores/list-folder.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "summit-list-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const always = async (): Promise<boolean> => true;
const never = async (): Promise<boolean> => false;

test("more files and folders than are asked for at a time, each once, with its size", async () => {
  const wanted: [string, number][] = [];
  for (let folder = 0; folder < 50; folder += 1) {
    await mkdir(join(root, "many", `f${folder}`, "deep"), { recursive: true });
    for (const name of ["a", "deep/b", "deep/c"]) {
      wanted.push([`many/f${folder}/${name}`, folder]);
      await writeFile(join(root, "many", `f${folder}`, name), Buffer.alloc(folder));
    }
  }
  await symlink(join(root, "many", "f0", "a"), join(root, "many", "link"));
  const found = await listFolder(root, "many", never);
  expect(found.map(({ key, size }) => [key, size]).sort()).toEqual(wanted.sort());
});

test("a folder that is gone is left out only if that is what its failure means", async () => {
  expect(await listFolder(root, "nowhere", always)).toEqual([]);
  await expect(listFolder(root, "nowhere", never)).rejects.toMatchObject({ code: "ENOENT" });
});

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Tree } from "../../../src/core/ports/tree.ts";
import { treeReader } from "../../../src/providers/source/trees.ts";

let folder: string;
const reader = treeReader(new AbortController().signal);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-trees-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function makeFiles(name: string, files: Record<string, string>): Promise<string> {
  const root = join(folder, name);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), content);
  }
  return root;
}

/** Names and contents as the machine's own tar unpacks them. */
async function unpack(tree: Tree): Promise<Record<string, string>> {
  const target = await mkdtemp(join(folder, "unpacked-"));
  await execa("tar", ["-x", "-f", "-", "-C", target], { input: await buffer(tree.archive()) });
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(target.length + 1), await readFile(file, "utf8")])),
  );
}

describe("a folder", () => {
  test("arrives whole: names of any length and letter, links, modes", async () => {
    const files = {
      "app.py": "print()",
      "a/b/c.txt": "c",
      "@types/x.ts": "not an archive",
      "-rf": "x",
      "ünï ☃.txt": "u",
      "new\nline": "n",
      [`${"long-".repeat(40)}name`]: "long",
      [`${"deep/".repeat(60)}file`]: "deep",
      empty: "",
    };
    const root = await makeFiles("whole", files);
    await symlink("app.py", join(root, "link"));
    const tree = await reader.read({ path: root });
    expect(await unpack(tree)).toEqual({ ...files, link: "print()" });
  });

  test("what no machine should get is left out", async () => {
    const noise = [
      ".git/config",
      "a/__pycache__/x.pyc",
      "a/x.pyc",
      "node_modules/x/index.js",
      "x.py~",
      ".x.py.swp",
      "db.sqlite3",
      ".venv/bin/python",
      ".DS_Store",
    ];
    const root = await makeFiles(
      "noise",
      Object.fromEntries([...noise, "a/x.py", ".env.example"].map((name) => [name, "x"])),
    );
    expect(Object.keys(await unpack(await reader.read({ path: root }))).sort()).toEqual([".env.example", "a/x.py"]);
  });

  test("equal files make equal revisions and archives, whenever and wherever", async () => {
    const files = { "a.txt": "a", "b/c.txt": "c" };
    const [one, two] = [await makeFiles("one", files), await makeFiles("two", files)];
    await utimes(join(two, "a.txt"), 1, 1);
    const [first, second] = [await reader.read({ path: one }), await reader.read({ path: two })];
    expect(second.revision).toBe(first.revision);
    expect(first.revision).toMatch(/^[0-9a-f]{40}$/);
    expect((await buffer(first.archive())).equals(await buffer(second.archive()))).toBe(true);
    expect((await buffer(first.archive())).equals(await buffer(first.archive()))).toBe(true);
  });

  test("content, name and mode each change the revision", async () => {
    const revision = async (name: string, files: Record<string, string>, mode?: number) => {
      const root = await makeFiles(name, files);
      if (mode !== undefined) await chmod(join(root, "a"), mode);
      return (await reader.read({ path: root })).revision;
    };
    const all = await Promise.all([
      revision("r1", { a: "x" }),
      revision("r2", { a: "y" }),
      revision("r3", { b: "x" }),
      revision("r4", { a: "x" }, 0o755),
      revision("r5", { a: "x", b: "" }),
    ]);
    expect(new Set(all).size).toBe(5);
  });

  test.each(["/etc/passwd", "../outside", "a/../../outside"])("a link to %s is refused", async (target) => {
    const root = await makeFiles(`link-${target.length}`, { "a/x": "x" });
    await symlink(target, join(root, "link"));
    await expect(reader.read({ path: root })).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("leads outside"),
    });
  });

  test.each(["nothing", "plain"])("%s instead of a folder", async (name) => {
    await writeFile(join(folder, "plain"), "x");
    await expect(reader.read({ path: join(folder, name) })).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("does not exist"),
    });
  });
});

describe("a git repository", () => {
  let repository: string;
  const git = async (...args: string[]): Promise<string> =>
    (
      await execa("git", [
        "-C",
        repository,
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "commit.gpgsign=false",
        ...args,
      ])
    ).stdout;
  let first: string;
  let second: string;

  beforeAll(async () => {
    repository = await makeFiles("repository", { "app.py": "one", "a/b.txt": "b" });
    await git("init", "-q", "-b", "main");
    await git("add", ".");
    await git("commit", "-q", "-m", "one");
    await git("tag", "v1");
    first = await git("rev-parse", "HEAD");
    await writeFile(join(repository, "app.py"), "two");
    await git("commit", "-q", "-a", "-m", "two");
    second = await git("rev-parse", "HEAD");
    await git("branch", "stable", first);
    await writeFile(join(repository, "app.py"), "not committed");
  });

  test("each way to name a revision, and none", async () => {
    const url = `file://${repository}`;
    const read = async (revision: string | undefined) => {
      const tree = await reader.read({ git: url, revision });
      return [tree.revision, (await unpack(tree))["app.py"]];
    };
    expect(await read(undefined)).toEqual([second, "two"]);
    for (const revision of ["v1", "stable", first]) expect(await read(revision)).toEqual([first, "one"]);
    expect(await read("main")).toEqual([second, "two"]);
  });

  test("a revision that was read stays what it was when the branch moves on", async () => {
    const tree = await reader.read({ git: repository, revision: "stable" });
    await git("branch", "-f", "stable", second);
    expect((await unpack(tree))["app.py"]).toBe("one");
  });

  test("another repository in the environment is not touched", async () => {
    vi.stubEnv("GIT_DIR", join(folder, "of-somebody-else"));
    try {
      expect((await reader.read({ git: repository, revision: "v1" })).revision).toBe(first);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(await readdir(folder)).not.toContain("of-somebody-else");
  });

  test.each([
    ["a revision that is not there", () => repository, "nosuch"],
    ["a commit that is not there", () => repository, "0".repeat(40)],
    ["a repository that is not there", () => join(folder, "nosuch"), "main"],
    ["a revision that reads as an option", () => repository, "--upload-pack=touch /tmp/x"],
    ["a repository that reads as an option", () => "--upload-pack=touch /tmp/x", "main"],
    ["a program as a transport", () => "ext::sh -c true", "main"],
  ])("%s is refused", async (_what, url, revision) => {
    await expect(reader.read({ git: url(), revision })).rejects.toMatchObject({ kind: "config" });
  });

  test("no clone is left behind", async () => {
    const own = join(folder, "tmp");
    await mkdir(own);
    vi.stubEnv("TMPDIR", own);
    try {
      const tree = await reader.read({ git: repository, revision: "main" });
      const archive = tree.archive();
      expect(await readdir(own)).toEqual([expect.stringMatching(/^summitctl-git-/)]);
      await buffer(archive);
      await reader.read({ git: repository, revision: "nosuch" }).catch(() => undefined);
      await vi.waitFor(async () => expect(await readdir(own)).toEqual([]));
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("an abort ends it", async () => {
    const call = treeReader(AbortSignal.abort(new Error("ctrl-c"))).read({ git: repository, revision: "main" });
    await expect(call).rejects.toThrow("ctrl-c");
  });
});

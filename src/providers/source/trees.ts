import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative, resolve, sep } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { Tree, TreeReader } from "../../core/ports/tree.ts";

const LEFT_OUT =
  /^(\.git|\.hg|\.svn|\.bzr|__pycache__|node_modules|\.venv|\.DS_Store|.*\.pyc|.*~|.*\.sw[op]|db\.sqlite3)$/;
// Equal files must make equal archives, whoever packs them and when.
const FIXED_TIME = new Date("2000-01-01T00:00:00Z");

/** Folders of this computer and git repositories, read with the git that is installed here. */
export const treeReader = (signal: AbortSignal): TreeReader => ({
  async read(source) {
    return "path" in source ? await readFolder(source.path) : await readGit(source.git, source.revision, signal);
  },
});

async function readFolder(path: string): Promise<Tree> {
  const root = resolve(path);
  const found = await stat(root).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new SummitError("config", `the source folder ${show(root)} does not exist`, { hint: `ls -ld ${root}` });
  }
  const names = await listFiles(root);
  const hash = createHash("sha256");
  for (const name of names) {
    hash.update(`${name}\0${await modeOf(root, name)}\0`);
    hash.update(await contentDigest(root, name));
  }
  return { revision: hash.digest("hex").slice(0, 40), archive: () => tarOf(root, names) };
}

async function listFiles(root: string, folder = ""): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (LEFT_OUT.test(entry.name)) continue;
    const name = posix.join(folder, entry.name);
    if (entry.isDirectory()) names.push(...(await listFiles(root, name)));
    else if (entry.isFile()) names.push(name);
    else if (entry.isSymbolicLink()) names.push(await insideLink(root, name));
  }
  return names;
}

async function insideLink(root: string, name: string): Promise<string> {
  const target = await readlink(join(root, name));
  const leads = relative(root, resolve(root, dirname(name), target));
  if (leads === ".." || leads.startsWith(`..${sep}`) || resolve(target) === target) {
    throw new SummitError("config", `the link ${show(name)} in ${show(root)} leads outside of the folder`, {
      hint: `ls -l ${join(root, name)}`,
    });
  }
  return name;
}

async function modeOf(root: string, name: string): Promise<string> {
  const found = await stat(join(root, name)).catch(() => undefined);
  return found !== undefined && (found.mode & 0o111) !== 0 ? "x" : "-";
}

async function contentDigest(root: string, name: string): Promise<string> {
  const link = await readlink(join(root, name)).catch(() => undefined);
  if (link !== undefined) return `link ${link}`;
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(root, name)), hash);
  return hash.digest("hex");
}

function tarOf(root: string, names: readonly string[]): Readable {
  const out = new PassThrough();
  void import("tar").then(
    ({ create }) => {
      // "./": a name that begins with @ would be read as an archive.
      const archive = create(
        { cwd: root, portable: true, mtime: FIXED_TIME },
        names.map((name) => `./${name}`),
      );
      archive.on("error", (error: unknown) => out.destroy(error as Error));
      archive.pipe(out as never);
    },
    (error: Error) => out.destroy(error),
  );
  return out;
}

async function readGit(url: string, revision: string | undefined, signal: AbortSignal): Promise<Tree> {
  const wanted = revision ?? "HEAD";
  if (wanted.startsWith("-") || url.startsWith("-")) {
    throw new SummitError("config", `a git address or revision cannot start with a dash: ${show(url)} ${show(wanted)}`);
  }
  const commit = await withClone(
    url,
    wanted,
    signal,
    async (folder) => await git(folder, ["rev-parse", "--verify", "FETCH_HEAD^{commit}"], signal),
  );
  return {
    revision: commit,
    archive() {
      const out = new PassThrough();
      withClone(url, commit, signal, async (folder) => {
        const child = execa("git", ["-C", folder, "archive", "--format=tar", "FETCH_HEAD"], {
          buffer: false,
          cancelSignal: signal,
          encoding: "buffer",
          env: ownEnvironment(),
        });
        await Promise.all([pipeline(child.stdout, out), child]);
      }).catch((error: Error) => out.destroy(error));
      return out;
    },
  };
}

/** A bare clone of one revision in a temporary folder. Servers that refuse bare commits give the whole history. */
async function withClone<T>(
  url: string,
  revision: string,
  signal: AbortSignal,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "summitctl-git-"));
  try {
    await git(folder, ["init", "-q", "--bare"], signal);
    const direct = await gitCall(folder, ["fetch", "-q", "--depth", "1", "--", url, revision], signal);
    if (direct.exitCode !== 0) {
      const whole = await gitCall(folder, ["fetch", "-q", "--tags", "--", url, "+refs/heads/*:refs/heads/*"], signal);
      const found =
        whole.exitCode === 0 &&
        (await gitCall(folder, ["rev-parse", "--verify", `${revision}^{commit}`], signal)).exitCode === 0;
      if (!found) {
        throw new SummitError("config", `git cannot fetch revision ${show(revision)} of ${show(url)}`, {
          details: String(direct.stderr).trim().split("\n").slice(-3),
          hint: `git ls-remote ${url}`,
        });
      }
      await git(folder, ["fetch", "-q", "--", ".", revision], signal);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function git(folder: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const result = await gitCall(folder, args, signal);
  if (result.exitCode === 0) return String(result.stdout).trim();
  throw new SummitError("config", `git ${args[0]} failed`, {
    details: [String(result.stderr).trim()],
    hint: "git --version",
  });
}

/** Of the repository that summitctl may be called from, as a hook or an alias of git does, nothing is taken over. */
const ownEnvironment = (): NodeJS.ProcessEnv => ({
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
});

async function gitCall(folder: string, args: readonly string[], signal: AbortSignal) {
  const result = await execa("git", ["-C", folder, ...args], {
    reject: false,
    cancelSignal: signal,
    env: { ...ownEnvironment(), GIT_TERMINAL_PROMPT: "0" },
  });
  signal.throwIfAborted();
  if (result.code === "ENOENT")
    throw new SummitError("config", "a source comes from git, which is not installed here", {
      hint: "sudo apt-get install git",
    });
  return result;
}

import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockText, parseLock, readLock, writeLock } from "../../src/config/lock-file.ts";
import { lockProblems } from "../../src/config/lock-problems.ts";
import type { Lock } from "../../src/config/lock-types.ts";

const DIGEST = "a".repeat(64);
const LOCK: Lock = {
  summitctl: { version: "0.1.0" },
  images: {
    local: { arm64: { name: "debian:12", digest: DIGEST }, amd64: { name: "debian:12", digest: `sha256:${DIGEST}` } },
  },
  packages: { postgresql: { "postgresql-15": "15.20-0+deb12u1" }, memcached: { memcached: "1:1.6.18-1~x" } },
  packs: { postgresql: `sha256:${DIGEST}` },
  sources: { summit: { theme: "0123456789", app: "1e10" } },
  postgresqlMajor: 15,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "summit-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("what is written is read back, also revisions that look like numbers", async () => {
  const file = join(folder, "summit.lock");
  await writeLock(file, LOCK);
  expect(await readLock(file)).toEqual(LOCK);
  expect(await readFile(file, "utf8")).toMatch(/^# What this project is pinned to\./);
  expect(await readdir(folder)).toEqual(["summit.lock"]);
});

test("a failed write leaves what was there, and nothing beside it", async () => {
  const file = join(folder, "summit.lock");
  await mkdir(join(file, "in-the-way"), { recursive: true });
  await expect(writeLock(file, LOCK)).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["summit.lock"]);
});

test("a link stays a link", async () => {
  const file = join(folder, "summit.lock");
  await writeFile(join(folder, "real"), "old");
  await symlink("real", file);
  await writeLock(file, LOCK);
  expect(await readlink(file)).toBe("real");
  expect(await readLock(join(folder, "real"))).toEqual(LOCK);
});

test("the order of keys does not matter", () => {
  const turned = { ...LOCK, packages: Object.fromEntries(Object.entries(LOCK.packages).reverse()) };
  expect(lockText(turned)).toBe(lockText(LOCK));
  expect(lockText(LOCK).indexOf("memcached:")).toBeLessThan(lockText(LOCK).indexOf("postgresql-15:"));
});

test("an absent file is no lock", async () => {
  expect(await readLock(join(folder, "summit.lock"))).toBeUndefined();
});

const head = "schema: summitctl.lock.v1\nsummitctl: { version: 0.1.0 }\n";
test.each<[string, string, readonly string[]]>([
  ["empty", "", ["summit.lock:1: the file is empty"]],
  ["no mapping", "- 1\n", ["summit.lock:1: expected a mapping, got a list"]],
  ["a conflict", `${head}<<<<<<< HEAD\n`, ["summit.lock:3: a merge conflict that git left here"]],
  ["an unknown key", `${head}pakcs: {}\n`, ['summit.lock:3: pakcs: unknown key, did you mean "packs"?']],
  ["no digest", `${head}packs: { a: x }\n`, ['summit.lock:3: packs.a: expected a sha256 digest, got "x"']],
  [
    "an option for apt",
    `${head}packages: { a: { -oX: '1' } }\n`,
    ['summit.lock:3: packages.a.-oX: expected the name of an apt package, got "-oX"'],
  ],
  [
    "a command as version",
    `${head}packages: { a: { bash: '$(id)' } }\n`,
    ['summit.lock:3: packages.a.bash: expected the version of an apt package, got "$(id)"'],
  ],
  [
    "a number as version",
    `${head}packages: { a: { bash: 1 } }\n`,
    ["summit.lock:3: packages.a.bash: expected text, got the number 1: put it in quotes"],
  ],
  [
    "a revision with a dash",
    `${head}sources: { a: { app: --x } }\n`,
    ['summit.lock:3: sources.a.app: expected a revision, got "--x"'],
  ],
])("%s is refused", (_name, text, details) => {
  expect(() => parseLock(text, "/p/summit.lock")).toThrow(expect.objectContaining({ kind: "config", details }));
});

test("a lock of another version is refused with a hint", async () => {
  const file = join(folder, "summit.lock");
  await writeFile(file, "schema: summitctl.lock.v2\nwhatever: 1\n");
  await expect(readLock(file)).rejects.toMatchObject({
    kind: "config",
    message: `expected summitctl.lock.v1 in ${file}, got "summitctl.lock.v2", which this version does not know`,
    hint: "npm install --global summitctl@latest",
  });
});

test("facts contradict pins only where both are known and differ", () => {
  expect(lockProblems(LOCK, {})).toEqual([]);
  expect(
    lockProblems(LOCK, { ...LOCK, packs: { postgresql: DIGEST, other: "x" }, packages: { new: { a: "1" } } }),
  ).toEqual([]);
  const messages = lockProblems(LOCK, {
    summitctl: { version: "0.2.0" },
    images: { local: { amd64: { name: "debian:12", digest: "b".repeat(64) } } },
    packages: { postgresql: { "postgresql-15": "15.21-0+deb12u1" } },
    packs: { postgresql: "c".repeat(64) },
    sources: { summit: { app: "deadbeef" } },
    postgresqlMajor: 16,
  }).map(({ message }) => message);
  expect(messages).toEqual([
    "summitctl.version: pinned to 0.1.0, found 0.2.0",
    `images.local.amd64: pinned to ${DIGEST}, found ${"b".repeat(64)}`,
    "packages.postgresql.postgresql-15: pinned to 15.20-0+deb12u1, found 15.21-0+deb12u1",
    `packs.postgresql: pinned to ${DIGEST}, found ${"c".repeat(64)}`,
    "sources.summit.app: pinned to 1e10, found deadbeef",
    "postgresql_major: pinned to 15, found 16",
  ]);
});

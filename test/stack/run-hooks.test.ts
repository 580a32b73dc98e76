import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { askHealth, hookScript, runHooks } from "../../src/stack/run-hooks.ts";
import { createLocalShell } from "../support/local-shell.ts";
import { writePack } from "./pack-fixture.ts";

test("the script is exactly this", () => {
  expect(
    hookScript({
      hooks: ["configure", "start"],
      environment: { SUMMIT_PACK: "/p/a b", SUMMIT_CLIENTS: "it's\n$(id)" },
    }),
  ).toBe(
    `set -eu
mkdir -p /var/lib/summitctl /run/summitctl; install -d -m 755 /etc/summitctl; install -d -m 700 /etc/summitctl/secrets
exec 9>/run/summitctl/hooks.lock; flock -w 1800 9
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8
export SUMMIT_PACK='/p/a b'
export SUMMIT_CLIENTS='it'\\''s
$(id)'
export SUMMIT_CHANGES="/run/summitctl/changes.$$"; : >"$SUMMIT_CHANGES"
for hook in configure start; do
  '/p/a b'/hooks/"$hook" </dev/null 9>&- || { code=$?; echo "hook $hook ended with exit status $code" >&2; rm -f "$SUMMIT_CHANGES"; exit "$code"; }
done
printf '\\nchanges\\n'; cat "$SUMMIT_CHANGES"; rm -f "$SUMMIT_CHANGES"
`,
  );
});

describe.skipIf(process.getuid?.() !== 0)("hooks of a pack", () => {
  let folder: string;
  let pack: string;
  const shell = createLocalShell();
  const { signal } = new AbortController();
  const run = (hooks: ("configure" | "start")[], more: Record<string, string> = {}) =>
    runHooks(shell, { unit: "production demo/0", hooks, environment: { SUMMIT_PACK: pack, ...more }, signal });
  const hook = (name: string, body: string) => writeFile(join(pack, "hooks", name), `#!/bin/sh\n${body}\n`);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "summit-hooks-"));
    pack = await writePack(folder, "demo");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("what they changed comes back, apart from what they said", async () => {
    await hook("configure", 'echo said; echo "wrote a" >>"$SUMMIT_CHANGES"');
    await hook("start", 'echo changes; echo "started b" >>"$SUMMIT_CHANGES"; echo warned >&2');
    expect(await run(["configure", "start"])).toEqual(["wrote a", "started b"]);
  });

  test("nothing changed is an empty list", async () => {
    expect(await run(["configure"])).toEqual([]);
  });

  test("a failing hook ends the run, with its words", async () => {
    await hook("configure", "echo looking; echo 'error: no disk' >&2; exit 3");
    await hook("start", `touch ${folder}/started`);
    await expect(run(["configure", "start"])).rejects.toMatchObject({
      kind: "remote",
      message: "production demo/0: hook configure ended with exit status 3",
      details: expect.arrayContaining(["looking", "error: no disk"]),
    });
    await expect(readFile(`${folder}/started`)).rejects.toThrow("ENOENT");
  });

  test("they see the given environment and an empty input", async () => {
    await hook("configure", `env | sort >${folder}/env; cat >${folder}/input`);
    await run(["configure"], { SUMMIT_SERVICE: "de'mo" });
    const names = (await readFile(`${folder}/env`, "utf8")).split("\n").map((line) => line.split("=")[0]);
    expect(names.filter((name) => name?.startsWith("SUMMIT_"))).toEqual([
      "SUMMIT_CHANGES",
      "SUMMIT_PACK",
      "SUMMIT_SERVICE",
    ]);
    expect(await readFile(`${folder}/input`, "utf8")).toBe("");
  });

  test("two runs on one machine do not overlap", async () => {
    await hook("configure", `mkdir ${folder}/busy; sleep 0.2; rmdir ${folder}/busy`);
    await Promise.all([run(["configure"]), run(["configure"]), run(["configure"])]);
  });

  test("health is a line and a verdict, never an error", async () => {
    const ask = () => askHealth(shell, { unit: "demo/0", environment: { SUMMIT_PACK: pack }, signal });
    await hook("health", "echo fine");
    expect(await ask()).toEqual({ healthy: true, message: "fine" });
    await hook("health", "echo down; exit 1");
    expect(await ask()).toEqual({ healthy: false, message: "down" });
    await hook("health", "kill -9 $$");
    expect(await ask()).toEqual({ healthy: false, message: "health ended with SIGKILL" });
    await rm(join(pack, "hooks/health"));
    expect((await ask()).healthy).toBe(false);
  });
});

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const packs = join(import.meta.dirname, "../../packs");
const HOOKS = ["configure", "health", "install", "start", "stop"];
const names = readdirSync(packs, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const files = readdirSync(packs, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && (entry.name.endsWith(".sh") || entry.parentPath.endsWith("/hooks")))
  .map((entry) => join(entry.parentPath, entry.name));

describe("shell of the packs", () => {
  it.each(files.map((file) => [file.slice(packs.length + 1), file]))("%s passes shellcheck", async (_name, file) => {
    const { stdout, exitCode } = await execa("shellcheck", [file], { reject: false });
    expect(stdout).toBe("");
    expect(exitCode).toBe(0);
  });

  it("is really checked: a careless hook is reported", async () => {
    const { exitCode, stdout } = await execa("shellcheck", ["-"], {
      input: "#!/bin/sh\nrm -rf $FOLDER\n",
      reject: false,
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("SC2086");
  });

  it.each(names)("%s has the five hooks, all executable, and nothing else among them", (name) => {
    const folder = join(packs, name, "hooks");
    expect(readdirSync(folder).sort()).toEqual(HOOKS);
    for (const hook of HOOKS) expect(statSync(join(folder, hook)).mode & 0o111).toBe(0o111);
  });
});

import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const IMPORTS = "lint/style/noRestrictedImports";

/** What each folder of src may import; everything else is tried and must be reported. */
const LAYERS: Record<string, { may: string[]; packages: string[] }> = {
  core: { may: [], packages: [] },
  config: { may: [], packages: ["zod", "yaml", "fastest-levenshtein"] },
  stack: { may: ["config"], packages: ["zod", "yaml", "fastest-levenshtein", "p-limit"] },
  environment: { may: ["stack", "config"], packages: ["p-limit"] },
  backup: { may: ["config"], packages: ["p-limit", "zod"] },
  recovery: { may: ["backup", "environment", "stack", "config"], packages: ["p-limit"] },
  monitor: { may: ["backup", "recovery", "config"], packages: ["p-limit"] },
  schedule: { may: ["backup", "environment", "recovery", "monitor", "config"], packages: ["p-limit"] },
  commands: {
    may: ["environment", "stack", "backup", "recovery", "monitor", "schedule", "config"],
    packages: ["commander"],
  },
  providers: {
    may: [],
    packages: ["chalk", "ssh2", "@aws-sdk/client-s3", "fastest-levenshtein", "zod", "yaml", "p-limit"],
  },
};
const PACKAGES = ["zod", "yaml", "fastest-levenshtein", "p-limit", "commander", "chalk", "ssh2", "@aws-sdk/client-s3"];

interface Seed {
  readonly name: string;
  readonly path: string;
  readonly code: string;
  /** The rule that must report it; undefined: nothing may be reported. */
  readonly rule: string | undefined;
}

const seeds: Seed[] = [...layerSeeds(), ...rootSeeds(), ...ruleSeeds()];
const reported = new Map<string, string[]>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "summitctl-layers-"));
  await copyFile(join(ROOT, "biome.json"), join(folder, "biome.json"));
  await copyFile(join(ROOT, ".gitignore"), join(folder, ".gitignore"));
  await cp(join(ROOT, "scripts/lint"), join(folder, "scripts/lint"), { recursive: true });
  for (const { path, code } of seeds) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${code}\n`);
  }
  const { stdout } = await execa(
    join(ROOT, "node_modules/.bin/biome"),
    ["lint", "--reporter=json", "--max-diagnostics=none", "src", "test", "vitest.config.ts"],
    { cwd: folder, reject: false },
  );
  for (const { category, location } of JSON.parse(stdout).diagnostics) {
    const path: string = location.path?.file ?? location.path;
    reported.set(path, [...(reported.get(path) ?? []), category]);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("what must be reported", () => {
  for (const { name, path, rule } of seeds.filter((seed) => seed.rule !== undefined)) {
    test(name, () => {
      expect(reported.get(path) ?? []).toContain(rule);
    });
  }
});

describe("what is allowed", () => {
  for (const { name, path } of seeds.filter((seed) => seed.rule === undefined)) {
    test(name, () => {
      expect(reported.get(path)).toBeUndefined();
    });
  }
});

function layerSeeds(): Seed[] {
  return Object.entries(LAYERS).flatMap(([from, { may, packages }]) => [
    ...Object.keys(LAYERS)
      .filter((to) => to !== from)
      .map((to) => importSeed({ from, to: `../${to}/thing.ts`, legal: to === "core" || may.includes(to) })),
    ...PACKAGES.map((name) => importSeed({ from, to: name, legal: packages.includes(name) })),
    importSeed({ from, to: "../main.ts", legal: false }),
    importSeed({ from, to: "../program.ts", legal: false }),
    importSeed({ from, to: "node:fs", legal: true }),
    importSeed({ from, to: "./thing.ts", legal: true }),
    importSeed({ from, to: "./deeper/thing.ts", legal: true }),
  ]);
}

function fileOf(to: string): string {
  return to.replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
}

function importSeed({ from, to, legal }: { from: string; to: string; legal: boolean }): Seed {
  return {
    name: `src/${from} ${legal ? "may" : "must not"} import ${to}`,
    path: `src/${from}/seed-${fileOf(to)}.ts`,
    code: `import { thing } from "${to}";\n\nthing();`,
    rule: legal ? undefined : IMPORTS,
  };
}

function rootSeeds(): Seed[] {
  const seed = (file: string, to: string, legal: boolean): Seed => ({
    name: `src/${file} in ${fileOf(to)}: ${legal ? "may" : "must not"} import ${to}`,
    path: `src/${file}`,
    code: `import { thing } from "${to}";\n\nthing();`,
    rule: legal ? undefined : IMPORTS,
  });
  return [
    seed("main.ts", "chalk", false),
    seed("program.ts", "./backup/thing.ts", false),
    seed("render-error.ts", "./backup/thing.ts", false),
    seed("open-talk.ts", "./recovery/thing.ts", false),
    seed("own-process.ts", "./core/thing.ts", true),
  ];
}

function ruleSeeds(): Seed[] {
  const seed = (path: string, code: string, rule: string | undefined): Seed => ({
    name: `${path}: ${code.split("\n").join(" ")}`,
    path,
    code,
    rule,
  });
  const floating = "const later = async (): Promise<number> => 1;\n\nlater();";
  return [
    seed("src/backup/dynamic.ts", `export const f = () => import("../recovery/thing.ts");`, IMPORTS),
    seed("src/backup/only-type.ts", `export type { A } from "../recovery/thing.ts";`, IMPORTS),
    seed("src/backup/deep/er/up.ts", `import { thing } from "../../../providers/stores/s3.ts";\n\nthing();`, IMPORTS),
    seed("src/providers/shell/up.ts", `import { thing } from "../../recovery/run.ts";\n\nthing();`, IMPORTS),
    seed("src/providers/shell/down.ts", `import { thing } from "../../core/thing.ts";\n\nthing();`, undefined),
    seed("src/commands/lazy.ts", `export const f = () => import("../backup/thing.ts");`, undefined),
    seed("src/backup/leave.ts", "process.exit(1);", "lint/nursery/noProcessExit"),
    seed("src/backup/default.ts", "export default 1;", "lint/style/noDefaultExport"),
    seed("vitest.config.ts", "export default 1;", undefined),
    seed("src/backup/barrel.ts", `export * from "./thing.ts";`, "lint/performance/noReExportAll"),
    seed("src/backup/index.ts", `export { thing } from "./thing.ts";`, "lint/performance/noBarrelFile"),
    seed("src/backup/floating.ts", floating, "lint/nursery/noFloatingPromises"),
    seed("test/backup/floating.test.ts", floating, "lint/nursery/noFloatingPromises"),
    seed("test/backup/mock.test.ts", `import { vi } from "vitest";\n\nvi.mock("./thing.ts");`, "plugin"),
    seed("test/backup/timers.test.ts", `import { vi } from "vitest";\n\nvi.useFakeTimers();`, undefined),
    seed(
      "test/backup/only.test.ts",
      `import { test } from "vitest";\n\ntest.only("a", () => {});`,
      "lint/suspicious/noFocusedTests",
    ),
    seed("src/backup/camelCase.ts", "export const a = 1;", "lint/style/useFilenamingConvention"),
    seed(
      "src/backup/params.ts",
      "export const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => [a, b, c, d, e];",
      "lint/complexity/useMaxParams",
    ),
  ];
}

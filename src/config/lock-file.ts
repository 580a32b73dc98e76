import { basename } from "node:path";
import { stringify } from "yaml";
import { SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";
import { LOCK_SCHEMA, lockSchema } from "./lock-schema.ts";
import type { Lock } from "./lock-types.ts";
import { locate, problemsError } from "./problems.ts";
import { at } from "./raw-values.ts";
import { readYaml } from "./read-yaml.ts";
import { replaceFile } from "./replace-file.ts";
import { checkSchema } from "./schema-check.ts";
import { readTextFile } from "./text-file.ts";

export const LOCK_FILE = "summit.lock";

/** The pins in a file; undefined when there is none. Throws kind `config` with every problem, path and line. */
export async function readLock(file: string): Promise<Lock | undefined> {
  const text = await readTextFile(file);
  return text === undefined ? undefined : parseLock(text, file);
}

/** Replaces the file in one step. Equal locks give equal bytes. */
export async function writeLock(file: string, lock: Lock): Promise<void> {
  await replaceFile(file, lockText(lock));
}

/** The text of a lock file. Throws kind `config`. */
export function parseLock(text: string, file: string): Lock {
  const { value, lineOf, findings } = readYaml(text);
  const found = at(value, "schema");
  if (typeof found === "string" && found !== LOCK_SCHEMA) {
    throw new SummitError(
      "config",
      `expected ${LOCK_SCHEMA} in ${file}, got ${show(found)}, which this version does not know`,
      {
        hint: "npm install --global summitctl@latest",
      },
    );
  }
  const checked = value === undefined ? { findings: [] } : checkSchema(lockSchema, value);
  const all = [...findings, ...("findings" in checked ? checked.findings : [])];
  if (all.length > 0 || !("value" in checked)) {
    const hinted = all.map((finding) => ({
      ...finding,
      hint: "git checkout HEAD -- summit.lock    # or: summitctl pin update",
    }));
    throw problemsError(file, locate(hinted, basename(file), lineOf));
  }
  const { summitctl, images, packages, packs, sources, postgresql_major: postgresqlMajor } = checked.value;
  return { summitctl, images, packages, packs, sources, postgresqlMajor };
}

/** The lock as YAML with sorted keys, under a head that says what it is. */
export function lockText(lock: Lock): string {
  const { summitctl, images, packages, packs, sources, postgresqlMajor } = lock;
  const major = postgresqlMajor === undefined ? {} : { postgresql_major: postgresqlMajor };
  const body = {
    schema: LOCK_SCHEMA,
    summitctl,
    ...major,
    images: sorted(images),
    packages: sorted(packages),
    packs: sorted(packs),
    sources: sorted(sources),
  };
  return HEAD + stringify(body, { lineWidth: 0, aliasDuplicateObjects: false });
}

const HEAD = `# What this project is pinned to. Written by summitctl (bootstrap, pin update) and obeyed until it is
# updated: keep it in git, do not edit it by hand.
`;

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}

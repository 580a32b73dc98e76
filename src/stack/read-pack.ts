import { lstat, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type Finding, type LineOf, locate, type Problem, problemsError } from "../config/problems.ts";
import { readYaml } from "../config/read-yaml.ts";
import { checkSchema } from "../config/schema-check.ts";
import { readTextFile } from "../config/text-file.ts";
import { SummitError } from "../core/errors.ts";
import { packChecks } from "./pack-checks.ts";
import { packSchema, type RawPack } from "./pack-schema.ts";
import { HOOKS, type OptionSpec, type Pack, type Provision } from "./pack-types.ts";

export const PACK_FILE = "pack.yaml";

/** The pack in a folder. Throws kind `config` with everything that is wrong with it. */
export async function readPack(folder: string): Promise<Pack> {
  const path = resolve(folder);
  const file = join(path, PACK_FILE);
  const text = await readTextFile(file);
  if (text === undefined) throw new SummitError("config", `there is no ${file}`, { hint: `ls ${path}` });
  const parsed = parsePack(text, path);
  const hooks = await hookFindings(path);
  const problems = [...("problems" in parsed ? parsed.problems : []), ...locate(hooks, shownFile(path), () => 1)];
  if (problems.length > 0 || !("pack" in parsed)) throw problemsError(`the pack in ${path}`, problems);
  return parsed.pack;
}

/** The text of a pack.yaml as a Pack of that folder, or everything that is wrong with it. Does not look at the hooks. */
export function parsePack(text: string, folder: string): { pack: Pack } | { problems: readonly Problem[] } {
  const { value, lineOf, findings } = readYaml(text);
  if (value === undefined) return { problems: locate(findings, shownFile(folder), lineOf) };
  const checked = checkSchema(packSchema, value);
  const all: Finding[] = [...findings, ...("findings" in checked ? checked.findings : []), ...packChecks(value)];
  if (!("value" in checked)) return { problems: locate(all, shownFile(folder), lineOf) };
  if (checked.value.name !== basename(folder)) {
    all.push({
      path: ["name"],
      message: `expected the name of the folder, ${basename(folder)}, got ${checked.value.name}`,
    });
  }
  return all.length > 0
    ? { problems: locate(all, shownFile(folder), lineOf as LineOf) }
    : { pack: toPack(checked.value, folder) };
}

const shownFile = (folder: string): string => `${basename(folder)}/${PACK_FILE}`;

async function hookFindings(folder: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const hook of HOOKS) {
    const file = join(folder, "hooks", hook);
    const found = await stat(file).catch(() => undefined);
    const link = await lstat(file).catch(() => undefined);
    const hint = `chmod +x ${file}`;
    if (found === undefined) findings.push({ path: [], message: `there is no hook hooks/${hook}` });
    else if (link?.isSymbolicLink() === true || !found.isFile())
      findings.push({ path: [], message: `expected a file at hooks/${hook}` });
    else if ((found.mode & 0o100) === 0) findings.push({ path: [], message: `hooks/${hook} is not executable`, hint });
  }
  return findings;
}

function toPack(raw: RawPack, folder: string): Pack {
  const options = Object.entries(raw.options).map(([name, option]): [string, OptionSpec] => [
    name,
    {
      ...option,
      default: option.default,
      minimum: option.minimum,
      maximum: option.maximum,
      values: option.values ?? [],
    },
  ]);
  const provides = Object.entries(raw.provides).map(
    ([name, { port, port_option: portOption = "" }]): [string, Provision] => [
      name,
      port === undefined ? { portOption } : { port },
    ],
  );
  const requires = Object.entries(raw.requires).map(
    ([name, { optional, secret, name_option: nameOption, interface: wanted = name }]) => [
      name,
      { optional, secret, nameOption, interface: wanted },
    ],
  );
  const { name, summary, packages, systemd, ports, secrets, max_units: maxUnits, entry } = raw;
  return {
    name,
    folder,
    summary,
    packages,
    systemd,
    ports,
    secrets,
    maxUnits,
    entry,
    options: Object.fromEntries(options),
    provides: Object.fromEntries(provides),
    requires: Object.fromEntries(requires),
  };
}

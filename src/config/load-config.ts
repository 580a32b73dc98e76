import { dirname, resolve } from "node:path";
import { SummitError } from "../core/errors.ts";
import { problemsError } from "./problems.ts";
import { readTextFile } from "./text-file.ts";
import type { Config } from "./types.ts";

/** Reads and checks a summit.yaml. Throws kind `config` with every problem, path and line in `details`. */
export async function loadConfig(file: string, options: { home?: string; version?: string } = {}): Promise<Config> {
  const path = resolve(file);
  const text = await readTextFile(path);
  if (text === undefined) throw new SummitError("config", `there is no ${path}`, { hint: "summitctl init" });
  const { parseConfig } = await import("./parse-config.ts");
  const parsed = parseConfig(text, { ...options, file: path, folder: dirname(path) });
  if ("problems" in parsed) throw problemsError(path, parsed.problems);
  return parsed.config;
}

import { parseConfig } from "../../src/config/parse-config.ts";
import { problemText } from "../../src/config/problems.ts";
import type { Config } from "../../src/config/types.ts";

/** Lines 1 to 5 of most texts below; what a test is about starts in line 6. */
export const HEAD = `schema: summitctl.config.v1
project: summit
stores: [file:///var/backups/summit]
services: { postgresql: {}, memcached: {}, summit: { pack: django, relations: { database: postgresql } } }
environments: { production: { provider: local }, spare: { provider: local } }
`;

const PLACE = { file: "/p/summit.yaml", folder: "/p", home: "/home/ann", version: "0.1.0" };

export function configOf(text: string): Config {
  const parsed = parseConfig(text, PLACE);
  if ("problems" in parsed) throw new Error(parsed.problems.map(problemText).join("\n"));
  return parsed.config;
}

/** The problems as they are shown; empty when there is none. */
export function problemsOf(text: string): readonly string[] {
  const parsed = parseConfig(text, PLACE);
  return "problems" in parsed ? parsed.problems.map(problemText) : [];
}

import { readFileSync } from "node:fs";

/** This tool's own version, from the package.json it was shipped with. */
export function toolVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Whether a version such as 0.1.0 is older than another; false when either is no version. A pre-release is older than its release. */
export function isOlder(version: string, than: string): boolean {
  const a = numbers(version);
  const b = numbers(than);
  if (a === undefined || b === undefined) return false;
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs !== -1 && (a[differs] ?? 0) < (b[differs] ?? 0);
}

function numbers(version: string): readonly number[] | undefined {
  const found = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-.*)?$/.exec(version);
  return found === null
    ? undefined
    : [Number(found[1]), Number(found[2]), Number(found[3]), found[4] === undefined ? 1 : 0];
}

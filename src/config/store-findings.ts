import type { Finding, Path } from "./problems.ts";
import { at, listOf, mapOf } from "./raw-values.ts";
import { repeated } from "./repeated.ts";
import { parseStoreUrl } from "./store-url.ts";

/** What the schema of one store cannot say. */
export function storeFindings(raw: unknown): readonly Finding[] {
  const stores = listOf(at(raw, "stores"));
  const findings = [
    ...stores.flatMap((store, index) => settingFindings(store, ["stores", index])),
    ...repeated(stores.map(placeOf), ["stores"]),
  ];
  const allOptional = stores.length > 0 && stores.every((store) => at(store, "required") === false);
  return allOptional
    ? [...findings, { path: ["stores"], message: "expected at least one store that is required" }]
    : findings;
}

function placeOf(store: unknown): string | undefined {
  const parsed = parsedUrl(store);
  if (parsed === undefined || "problem" in parsed) return undefined;
  return "path" in parsed ? parsed.path : parsed.url;
}

function parsedUrl(store: unknown): ReturnType<typeof parseStoreUrl> | undefined {
  const url = typeof store === "string" ? store : at(store, "url");
  return typeof url === "string" ? parseStoreUrl(url) : undefined;
}

const OF_S3 = ["endpoint", "region", "path_style", "profile", "sse", "kms_key", "storage_class"];

function settingFindings(store: unknown, path: Path): readonly Finding[] {
  const parsed = parsedUrl(store);
  if (parsed !== undefined && "path" in parsed)
    return Object.keys(mapOf(store))
      .filter((key) => OF_S3.includes(key))
      .map((key) => ({ path: [...path, key], message: "only stores of the kind s3://… have this" }));
  return at(store, "kms_key") !== undefined && at(store, "sse") !== "aws:kms"
    ? [{ path: [...path, "kms_key"], message: "a key belongs to sse: aws:kms" }]
    : [];
}

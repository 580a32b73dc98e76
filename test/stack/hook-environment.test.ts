import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type HookFacts, hookEnvironment, serviceEnvironment } from "../../src/stack/hook-environment.ts";
import type { Stack } from "../../src/stack/stack.ts";
import { EXAMPLE_SERVICES, stackWith, unitOf } from "./stack-fixture.ts";

let stack: Stack;
let facts: HookFacts;

beforeAll(async () => {
  stack = await stackWith(EXAMPLE_SERVICES);
  facts = {
    project: "conference",
    stack,
    addresses: new Map(stack.units.map(({ name }, index) => [name, `10.9.8.${index + 2}`])),
    revisions: { "summit.app": "abc123" },
    pins: { postgresql: { "postgresql-15": "15.20-0", postgresql: "15+248", zstd: "1.5" } },
    deferData: false,
  };
});

const of = (unit: string, changes: Partial<HookFacts> = {}) =>
  hookEnvironment({ ...facts, ...changes }, unitOf(stack, unit));

describe("the environment of a hook", () => {
  test("names, place and folders", () => {
    expect(of("summit/1")).toMatchObject({
      SUMMIT_PROJECT: "conference",
      SUMMIT_ENVIRONMENT: "production",
      SUMMIT_SERVICE: "summit",
      SUMMIT_UNIT: "summit/1",
      SUMMIT_LEADER: "0",
      SUMMIT_IMAGE: "0",
      SUMMIT_PACK: "/var/lib/summitctl/packs/django",
      SUMMIT_LIB: "/var/lib/summitctl/packs/lib.sh",
      SUMMIT_SECRETS: "/etc/summitctl/secrets",
      SUMMIT_HOST: "10.9.8.5",
      SUMMIT_DEFER_DATA: "0",
    });
    expect(of("summit/0")["SUMMIT_LEADER"]).toBe("1");
    expect(of("summit/0", { deferData: true })["SUMMIT_DEFER_DATA"]).toBe("1");
  });

  test("packages: the pack's own first, then what else is pinned, with versions where there are pins", () => {
    expect(of("postgresql/0")["SUMMIT_PACKAGES"]).toBe(
      "postgresql=15+248 lbzip2 bzip2 zstd=1.5 age postgresql-15=15.20-0",
    );
    expect(of("memcached/0")["SUMMIT_PACKAGES"]).toBe("memcached");
  });

  test("options: booleans, numbers, lists, sources with their revision, unset ones empty", () => {
    expect(of("memcached/0")).toMatchObject({ SUMMIT_OPTION_DEBUG: "true", SUMMIT_OPTION_MEMORY_MB: "64" });
    expect(of("postgresql/0")).toMatchObject({ SUMMIT_OPTION_PORT: "5433", SUMMIT_OPTION_MAJOR: "" });
    expect(of("summit/0")).toMatchObject({
      SUMMIT_OPTION_PACKAGES: "python3-pil python3-yaml",
      SUMMIT_OPTION_APP: "/srv/summitctl/summit/app/abc123",
      SUMMIT_OPTION_APP_REVISION: "abc123",
      SUMMIT_OPTION_THEME: "",
    });
  });

  test("relations of the asking side", () => {
    expect(of("summit/0")).toMatchObject({
      SUMMIT_DATABASE_HOSTS: "10.9.8.2",
      SUMMIT_DATABASE_PORT: "5433",
      SUMMIT_DATABASE_NAME: "summit",
      SUMMIT_DATABASE_SECRET: "/etc/summitctl/secrets/relation-summit-database",
      SUMMIT_CACHE_HOSTS: "10.9.8.3",
      SUMMIT_CACHE_SECRET: "",
    });
    expect(of("haproxy/0")["SUMMIT_BACKEND_HOSTS"]).toBe("10.9.8.4 10.9.8.5");
    expect(Object.keys(of("memcached/0")).filter((name) => name.endsWith("_HOSTS"))).toEqual([]);
  });

  test("clients of the providing side, one tab separated line each", () => {
    expect(of("postgresql/0")["SUMMIT_CLIENTS"]).toBe(
      "summit\tdatabase\tsummit\t10.9.8.4,10.9.8.5\t/etc/summitctl/secrets/relation-summit-database",
    );
    expect(of("memcached/0")["SUMMIT_CLIENTS"]).toBe("summit\tcache\tsummit\t10.9.8.4,10.9.8.5\t-");
    expect(of("haproxy/0")["SUMMIT_CLIENTS"]).toBe("");
  });

  test("every variable of docs/packs.md is given, and none that it does not list", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/packs.md"), "utf8");
    const table = page
      .split("\n")
      .filter((line) => line.startsWith("| `SUMMIT_"))
      .join("\n");
    const listed = new Set([...table.matchAll(/`(SUMMIT_[A-Z_]+)`/g)].map(([, name]) => name));
    const given = Object.keys(of("summit/0")).filter((name) => !/^SUMMIT_(OPTION|DATABASE|CACHE)_/.test(name));
    expect(new Set(given)).toEqual(listed);
  });

  test("what a golden image is made with depends on no machine", () => {
    const names = Object.keys(serviceEnvironment(facts, unitOf(stack, "summit/0").service));
    expect(names.filter((name) => /^SUMMIT_(HOST|CLIENTS|UNIT|LEADER|DATABASE|CACHE)/.test(name))).toEqual([]);
  });
});

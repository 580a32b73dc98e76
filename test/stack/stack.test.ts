import { describe, expect, test } from "vitest";
import { bindingsOf, databasesOf, entryService, startWaves, unitNamed } from "../../src/stack/stack.ts";
import { EXAMPLE_SERVICES, stackWith } from "./stack-fixture.ts";

describe("the order of a stack", () => {
  test("what is required comes before what requires it, however summit.yaml is ordered", async () => {
    const stack = await stackWith(EXAMPLE_SERVICES);
    expect(stack.services.map(({ name }) => name)).toEqual(["postgresql", "memcached", "summit", "haproxy"]);
    expect(startWaves(stack).map((wave) => wave.map(({ name }) => name))).toEqual([
      ["postgresql", "memcached"],
      ["summit"],
      ["haproxy"],
    ]);
  });

  test("two apps of one database share a wave", async () => {
    const stack = await stackWith({
      shop: { pack: "django", options: { app: { path: "./s" } }, relations: { database: "postgresql" } },
      talks: { pack: "django", options: { app: { path: "./t" } }, relations: { database: "postgresql" } },
      postgresql: {},
    });
    expect(startWaves(stack).map((wave) => wave.map(({ name }) => name))).toEqual([["postgresql"], ["shop", "talks"]]);
    expect(databasesOf(stack).databases).toEqual(["shop", "talks"]);
    expect(entryService(stack)).toBeUndefined();
  });

  test("unit 0 leads, and machines are named after units", async () => {
    const stack = await stackWith(EXAMPLE_SERVICES);
    expect(stack.units.map(({ name, machine, leader }) => [name, machine, leader])).toEqual([
      ["postgresql/0", "postgresql-0", true],
      ["memcached/0", "memcached-0", true],
      ["summit/0", "summit-0", true],
      ["summit/1", "summit-1", false],
      ["haproxy/0", "haproxy-0", true],
    ]);
    expect(entryService(stack)?.name).toBe("haproxy");
    expect(() => unitNamed(stack, "summit/2")).toThrow(
      'environment "production" has no unit summit/2, it has postgresql/0, memcached/0, summit/0, summit/1, haproxy/0',
    );
  });
});

test("bindings say who asks whom for what", async () => {
  const stack = await stackWith(EXAMPLE_SERVICES);
  const told = bindingsOf(stack).map(({ client, relation, provider, port, name, secret }) => [
    client.name,
    relation,
    provider.name,
    port,
    name,
    secret,
  ]);
  expect(told).toEqual([
    ["summit", "database", "postgresql", 5433, "summit", "relation-summit-database"],
    ["summit", "cache", "memcached", 11211, "summit", undefined],
    ["haproxy", "backend", "summit", 8000, "haproxy", undefined],
  ]);
});

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPack } from "../../src/stack/read-pack.ts";

const packs = join(import.meta.dirname, "../../packs");

describe("pack.yaml of the packs", () => {
  it.each(["postgresql", "memcached", "django", "haproxy"])("%s is read without a complaint", async (name) => {
    const pack = await readPack(join(packs, name));
    expect(pack.name).toBe(name);
    for (const option of Object.values(pack.options)) expect(option.summary).not.toBe("");
  });
});

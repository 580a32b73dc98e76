import { describe, expect, test } from "vitest";
import { dataTime, MANIFEST_SCHEMA, type Manifest, PART_SIZE, parseManifest } from "../../src/backup/manifest.ts";
import { sampleManifest } from "../support/sample-manifest.ts";

const parse = (value: unknown): Manifest =>
  parseManifest(typeof value === "string" ? value : JSON.stringify(value), "the/key");

test("a manifest comes back as it was written", () => {
  expect(parse(sampleManifest())).toEqual(sampleManifest());
});

test("the time of the data is that of the oldest snapshot", () => {
  const [database] = sampleManifest().members;
  const members = ["2026-11-22T14:40:00.000Z", "2026-11-22T14:38:01.000Z"].map((snapshotAt) => ({
    ...database,
    snapshotAt,
  })) as Manifest["members"];
  expect(dataTime({ ...sampleManifest(), members }).toISOString()).toBe("2026-11-22T14:38:01.000Z");
});

describe("what is not exactly a manifest is refused", () => {
  // biome-ignore lint/suspicious/noExplicitAny: what the types forbid is what is tried
  const changed = (change: (copy: any) => void): unknown => {
    const copy = structuredClone(sampleManifest());
    change(copy);
    return copy;
  };

  test.each([
    ["nothing", "", /is not JSON/],
    ["half of one", JSON.stringify(sampleManifest()).slice(0, 300), /is not JSON/],
    ["a list", "[]", /has the schema undefined/],
    ["null", "null", /has the schema undefined/],
    [
      "the next version",
      changed((copy) => {
        copy.schema = "summitctl.backup.v2";
      }),
      /has the schema "summitctl.backup.v2", expected "summitctl.backup.v1"/,
    ],
    [
      "an unknown key",
      changed((copy) => {
        copy.more = 1;
      }),
      /is not a complete manifest/,
    ],
    [
      "an unknown key of a member",
      changed((copy) => {
        copy.members[0].more = 1;
      }),
      /is not a complete manifest/,
    ],
    [
      "no members",
      changed((copy) => {
        copy.members = [];
      }),
      /is not a complete manifest/,
    ],
    [
      "a kind of member that this version does not know",
      changed((copy) => {
        copy.members[0].kind = "files";
      }),
      /is not a complete manifest/,
    ],
    [
      "no rows",
      changed((copy) => {
        delete copy.members[0].rows;
      }),
      /is not a complete manifest/,
    ],
    [
      "a file elsewhere",
      changed((copy) => {
        copy.members[0].file = "../other/x.dump.bz2";
      }),
      /is not a complete manifest/,
    ],
    [
      "a hidden file",
      changed((copy) => {
        copy.members[0].file = ".x";
      }),
      /is not a complete manifest/,
    ],
    [
      "a negative size",
      changed((copy) => {
        copy.members[0].plain.bytes = -1;
      }),
      /is not a complete manifest/,
    ],
    [
      "a hash that is none",
      changed((copy) => {
        copy.members[0].stored.sha256 = "abc";
      }),
      /is not a complete manifest/,
    ],
    [
      "an id that is none",
      changed((copy) => {
        copy.id = "latest";
      }),
      /is not a complete manifest/,
    ],
    [
      "a time that is none",
      changed((copy) => {
        copy.members[0].snapshotAt = "yesterday";
      }),
      /is not a complete manifest/,
    ],
    [
      "a part too few",
      changed((copy) => {
        copy.members[0].stored.bytes = PART_SIZE + 1;
      }),
      /lists 1 parts of .*, its size needs 2/,
    ],
    [
      "a part too many",
      changed((copy) => {
        copy.members[0].stored.parts.push("0".repeat(64));
      }),
      /lists 2 parts of .*, its size needs 1/,
    ],
    [
      "parts of no size",
      changed((copy) => {
        copy.members[0].stored.partSize = 0;
      }),
      /is not a complete manifest/,
    ],
  ])("%s", (_what, value, message) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ kind: "verification", message: expect.stringMatching(message) }),
    );
  });

  test("the problem is named with its path", () => {
    const value = changed((copy) => {
      copy.members[0].facts.owner = 7;
    });
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ details: [expect.stringMatching(/^members\.0\.facts\.owner: /)] }),
    );
  });
});

test("the schema has a version", () => {
  expect(MANIFEST_SCHEMA).toMatch(/\.v\d+$/);
});

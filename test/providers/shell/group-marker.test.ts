import { describe, expect, test } from "vitest";
import { GroupMarker } from "../../../src/providers/shell/group-marker.ts";

const take = (marker: GroupMarker, chunks: readonly string[]): string =>
  chunks.map((chunk) => marker.take(Buffer.from(chunk, "latin1")).toString("latin1")).join("");

describe("GroupMarker", () => {
  test.each([
    [["tok-1 42\nrest\n"], "rest\n"],
    [["sudo: unable to resolve host\ntok-1 42\n", "rest"], "sudo: unable to resolve host\nrest"],
    [["no newline tok-1 42\n\xff\0"], "no newline \xff\0"],
    ["tok-1 42\n".split(""), ""],
    [["tok-1 4", "2\ntok-1 43\n"], "tok-1 43\n"],
  ])("%j", (chunks, passed) => {
    const marker = new GroupMarker("tok-1");
    expect(take(marker, chunks)).toBe(passed);
    expect(marker.group).toBe(42);
    expect(marker.rest().length).toBe(0);
  });

  test("what was held back without a marker is not lost", () => {
    const marker = new GroupMarker("tok-1");
    expect(take(marker, ["sudo: a password ", "is required\n"])).toBe("");
    expect(marker.group).toBeUndefined();
    expect(marker.rest().toString()).toBe("sudo: a password is required\n");
  });

  test("a flood without a marker is passed on", () => {
    const marker = new GroupMarker("tok-1");
    const flood = "x".repeat(70_000);
    expect(take(marker, [flood, "y"])).toBe(`${flood}y`);
  });
});

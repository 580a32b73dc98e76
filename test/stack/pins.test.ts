import { expect, test } from "vitest";
import { installMark } from "../../src/stack/install-mark.ts";
import { installedPins, installedVersions, parsePins } from "../../src/stack/pins.ts";
import { createLocalShell } from "../support/local-shell.ts";
import { EXAMPLE_SERVICES, stackWith, unitOf } from "./stack-fixture.ts";

const { signal } = new AbortController();

test("a record is name=version lines; anything else in it is no pin", () => {
  expect(
    parsePins("postgresql=15+248+deb12u2\npython3-django=3:3.2.25-0+deb12u7\n\nabsent=\n=1\nwords here=1 2\n"),
  ).toEqual({
    postgresql: "15+248+deb12u2",
    "python3-django": "3:3.2.25-0+deb12u7",
  });
});

test("a service without a record has no pins", async () => {
  await using shell = createLocalShell();
  expect(await installedPins(shell, "never-installed", signal)).toEqual({});
});

test("versions come in the pack's order; what is not installed is absent", async () => {
  await using shell = createLocalShell();
  expect(Object.keys(await installedVersions(shell, ["libc6", "no-such-package", "bash"], signal))).toEqual([
    "libc6",
    "bash",
  ]);
  expect(await installedVersions(shell, [], signal)).toEqual({});
});

test("the install mark depends on pack and options, not on sources", async () => {
  const mark = async (services: object) => installMark(unitOf(await stackWith(services), "summit/0").service);
  const { summit } = EXAMPLE_SERVICES;
  const withOptions = (options: object) => ({
    ...EXAMPLE_SERVICES,
    summit: { ...summit, options: { ...summit.options, ...options } },
  });
  const base = await mark(EXAMPLE_SERVICES);
  expect(await mark(withOptions({ app: { path: "./other" } }))).toBe(base);
  expect(await mark(withOptions({ workers: 7 }))).not.toBe(base);
});

import { describe, expect, test } from "vitest";
import { endLine, startLine } from "../../../src/providers/shell/remote-line.ts";
import { rejection } from "../../contracts/shell.ts";

const token = "summitctl-0a1b";
const start =
  `/bin/sh -c 'read -r s </proc/$$/stat; s=\${s##*) }; s=\${s#* }; s=\${s#* }; cd /; ` +
  `printf "%s %s\\n" "$1" "\${s%% *}" >&2; shift; exec "$@"' sh ${token}`;

describe("startLine", () => {
  test("an ordinary login becomes root by sudo", () => {
    expect(startLine({ user: "summit" }, ["ls", "a b"], { as: undefined, token })).toBe(
      `exec sudo -n -- ${start} ls 'a b'`,
    );
  });

  test("or another user", () => {
    expect(startLine({ user: "summit" }, ["psql"], { as: "postgres", token })).toBe(
      `exec sudo -n -u postgres -- ${start} psql`,
    );
  });

  test("root needs no sudo", () => {
    expect(startLine({ user: "root" }, ["ls"], { as: undefined, token })).toBe(`exec ${start} ls`);
  });

  test("root becomes another user without sudo", () => {
    expect(startLine({ user: "root" }, ["psql"], { as: "postgres", token })).toBe(
      `exec /bin/sh -c 'u=$1; shift; g=$(id -g "$u") && exec setpriv --reuid "$u" --regid "$g" --init-groups --reset-env -- "$@"' ` +
        `sh postgres ${start} psql`,
    );
  });

  test.each(["", "-u", "#0", "a b", "a\nb", "$(id)", "x".repeat(40)])("%j is no user name", async (as) => {
    const failed = await rejection(Promise.resolve().then(() => startLine({ user: "summit" }, ["ls"], { as, token })));
    expect(failed).toMatchObject({ kind: "usage" });
  });
});

test("endLine tells the group and the patience in tenths of a second", () => {
  expect(endLine({ user: "summit" }, 123, 5)).toMatch(/^exec sudo -n -- \/bin\/sh -c '.*' sh 123 50$/);
  expect(endLine({ user: "root" }, 123, 0.25)).toMatch(/^exec \/bin\/sh -c '.*' sh 123 3$/);
});

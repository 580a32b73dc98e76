import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { userData } from "../../src/environment/user-data.ts";

const facts = {
  hostname: "summit-0",
  user: "summit",
  authorizedKeys: ["ssh-ed25519 AAAA ann"],
  bootKey: { privateKey: "-----BEGIN-----\nabc\n-----END-----\n", publicKey: "ssh-ed25519 BBBB" },
};

describe("user-data", () => {
  test("makes one login with keys only, and the boot key", () => {
    const text = userData(facts);
    expect(text.split("\n")[0]).toBe("#cloud-config");
    expect(parse(text)).toMatchObject({
      hostname: "summit-0",
      disable_root: true,
      ssh_pwauth: false,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: facts.bootKey.privateKey, ed25519_public: "ssh-ed25519 BBBB" },
      users: [{ name: "summit", lock_passwd: true, ssh_authorized_keys: ["ssh-ed25519 AAAA ann"] }],
    });
  });

  test.each(['"\n- evil: true', "x\nruncmd: [reboot]", "{}", "é\u2028", "'\\"])("%j stays a value", (hostile) => {
    const value = parse(userData({ ...facts, hostname: hostile, authorizedKeys: [hostile] })) as Record<
      string,
      unknown
    >;
    expect(value["hostname"]).toBe(hostile);
    expect(value["users"]).toMatchObject([{ ssh_authorized_keys: [hostile] }]);
    expect(Object.keys(value).sort()).toEqual(Object.keys(parse(userData(facts)) as object).sort());
  });

  test("more than EC2 takes is refused with what to do; a machine nobody can enter, too", () => {
    const many = Array.from({ length: 250 }, (_, index) => `ssh-ed25519 ${"A".repeat(68)} ${index}`);
    expect(() => userData({ ...facts, authorizedKeys: many })).toThrow(
      expect.objectContaining({ kind: "config", hint: expect.stringContaining("ssh.admins") }),
    );
    expect(() => userData({ ...facts, authorizedKeys: [] })).toThrow(expect.objectContaining({ kind: "check" }));
  });
});

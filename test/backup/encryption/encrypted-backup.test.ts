import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_FORM } from "../../../src/backup/dump-form.ts";
import { openFiles } from "../../../src/backup/encryption/open-files.ts";
import type { Manifest, Member } from "../../../src/backup/manifest.ts";
import { memberKey } from "../../../src/backup/read-member.ts";
import { runBackup } from "../../../src/backup/run-backup.ts";
import { verifyBackup } from "../../../src/backup/verify-backup.ts";
import { generateIdentity } from "../../../src/core/age-keys.ts";
import { sha256 } from "../../../src/core/digest.ts";
import { type MemoryStore, memoryStore } from "../../support/memory-store.ts";
import { type PostgresCluster, startPostgres } from "../../support/postgres.ts";
import { backUp, backupDeps, databasesOf, dumpText, restore } from "../backup-fixture.ts";

const PLAINTEXT = "nobody may read this";

describe("an encrypted backup", () => {
  const [mine, lost, foreign] = [generateIdentity(), generateIdentity(), generateIdentity()];
  const form = { ...DEFAULT_FORM, recipients: [lost.identity.recipient, mine.identity.recipient], rolePasswords: true };
  const store = memoryStore();
  let cluster: PostgresCluster;
  let fresh: PostgresCluster;
  let manifest: Manifest;
  let unencrypted: Manifest;

  beforeAll(async () => {
    [cluster, fresh] = await Promise.all([startPostgres(), startPostgres()]);
    await cluster.sql(
      "postgres",
      "CREATE ROLE app LOGIN PASSWORD 'hers'; CREATE ROLE ops LOGIN PASSWORD 'his'; CREATE ROLE bare LOGIN; CREATE DATABASE summit OWNER app",
    );
    await cluster.sql(
      "summit",
      `CREATE TABLE talk AS SELECT n, '${PLAINTEXT}' AS note, md5(n::text) FROM generate_series(1, 50000) AS n`,
    );
    unencrypted = await backUp(cluster, store, "summit");
    manifest = await runBackup(cluster.server(["summit"]), store, backupDeps(), { form });
  });
  afterAll(async () => {
    await Promise.all([cluster?.[Symbol.asyncDispose](), fresh?.[Symbol.asyncDispose]()]);
  });

  const known = (...pairs: (typeof mine)[]) => ({ identities: async () => pairs.map(({ identity }) => identity) });
  const open = (from: MemoryStore, of: Manifest, ...pairs: (typeof mine)[]) =>
    openFiles({ manifest: of, store: from }, known(...pairs).identities);
  const hashesOf = (of: PostgresCluster) =>
    of.sql("postgres", "SELECT rolname, rolpassword FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1");

  /** Another store where the dump is another one, with a manifest that is true of it: by somebody who can write there. */
  function forged(change: (body: Buffer) => Buffer, at = 0): { store: MemoryStore; manifest: Manifest } {
    const members = manifest.members.map((member, index): Member => {
      if (index !== at) return member;
      const body = bodyOf(member);
      return {
        ...member,
        stored: { ...member.stored, bytes: body.length, sha256: sha256(body), parts: [sha256(body)] },
      };
    });
    function bodyOf(member: Member): Buffer {
      const body = store.objects.get(memberKey(manifest, member))?.body as Buffer;
      return member.file === manifest.members[at]?.file ? change(Buffer.from(body)) : body;
    }
    const copy = memoryStore();
    for (const member of manifest.members)
      copy.objects.set(memberKey(manifest, member), { body: bodyOf(member), storedAt: new Date() });
    return { store: copy, manifest: { ...manifest, members } };
  }

  const flip = (where: (body: Buffer) => number) => (body: Buffer) => {
    const at = where(body);
    body[at] = (body[at] ?? 0) ^ 1;
    return body;
  };
  const inPayload = flip((body) => body.length - 30);

  test("holds nothing that can be read, the old one beside it does", async () => {
    const text = (member: Member | undefined) =>
      store.objects.get(memberKey(manifest, member as Member))?.body.toString("latin1") ?? "";
    for (const member of manifest.members) {
      expect(member.file).toMatch(/\.(dump|sql)\.bz2\.age$/);
      expect(text(member).slice(0, 22)).toBe("age-encryption.org/v1\n");
      expect(text(member)).not.toMatch(new RegExp(`${PLAINTEXT}|BZh|PGDMP|SCRAM-SHA`));
    }
    expect(manifest.members.map(({ encryption }) => encryption?.recipients)).toEqual([
      form.recipients,
      form.recipients,
    ]);
    expect(unencrypted.members.map(({ encryption }) => encryption)).toEqual([undefined, undefined]);
    expect(JSON.stringify(manifest)).not.toContain(PLAINTEXT);
  });

  test("comes back with one of two identities, and with the passwords of roles that were not there", async () => {
    await restore(fresh, { manifest, store, database: "summit", keys: await open(store, manifest, foreign, mine) });
    expect(await dumpText(fresh, "summit")).toBe(await dumpText(cluster, "summit"));
    expect(await hashesOf(fresh)).toEqual(await hashesOf(cluster));
  });

  test("leaves the passwords of roles alone that are there", async () => {
    await fresh.sql(
      "postgres",
      "ALTER ROLE app PASSWORD 'another'; ALTER ROLE ops PASSWORD NULL; ALTER ROLE bare PASSWORD 'x'",
    );
    const before = await hashesOf(fresh);
    await restore(fresh, { manifest, store, database: "summit", as: "again", keys: await open(store, manifest, mine) });
    expect(await hashesOf(fresh)).toEqual(before);
  });

  test("the old one needs no identity, and is asked for none", async () => {
    const identities = () => Promise.reject(new Error("asked"));
    const keys = await openFiles({ manifest: unencrypted, store }, identities);
    await restore(cluster, { manifest: unencrypted, store, database: "summit", as: "old", keys });
    expect(await dumpText(cluster, "old")).toBe(await dumpText(cluster, "summit"));
    expect(await verifyBackup({ manifest: unencrypted, store }, { ...backupDeps(), identities })).toMatchObject({
      ok: true,
    });
  });

  test("no process of the machine ever shows an identity, neither the real one nor the one for this time", async () => {
    const before = await databasesOf(cluster);
    const keys = await open(store, manifest, mine);
    const seen = { looks: 0, age: 0, found: [] as string[] };
    let running = true;
    const looking = (async () => {
      while (running) {
        look(seen);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await restore(cluster, { manifest, store, database: "summit", as: "watched", keys });
    running = false;
    await looking;
    expect(seen.age).toBeGreaterThan(0);
    expect(seen.found).toEqual([]);
    await cluster.sql("postgres", "DROP DATABASE watched");
    expect(await databasesOf(cluster)).toEqual(before);
  });

  test("verified here: stored and plain bytes are those of the manifest", async () => {
    const found = await verifyBackup({ manifest, store }, { ...backupDeps(), ...known(mine) });
    expect(found).toMatchObject({ ok: true, problems: [] });
  });

  test.each([
    ["no identity", undefined, "does not say where an identity is"],
    ["another identity", known(foreign).identities, "does not open it"],
  ])("with %s: known before anything is touched", async (_what, identities, message) => {
    const refused = { kind: "config", message: expect.stringContaining(message) };
    await expect(openFiles({ manifest, store }, identities)).rejects.toMatchObject(refused);
    await expect(
      verifyBackup({ manifest, store }, { ...backupDeps(), ...(identities === undefined ? {} : { identities }) }),
    ).rejects.toMatchObject(refused);
  });

  test("an identity that does not fit is told with whom it is for, and without itself", async () => {
    const error = await open(store, manifest, foreign).catch((thrown: unknown) => thrown as Error);
    expect(JSON.stringify(error)).toContain(lost.identity.recipient);
    expect(JSON.stringify(error)).toContain(foreign.identity.recipient);
    expect(JSON.stringify(error)).not.toContain("SECRET-KEY");
  });

  // A flipped bit may make of a letter something that cannot be there.
  const HEAD_ALTERED = /its head was altered|does not begin as files of age do/;
  test.each<[string, (body: Buffer) => Buffer, RegExp]>([
    ["a bit of the head's sum", flip((body) => body.indexOf("\n---") + 10), HEAD_ALTERED],
    ["a bit of my part of the head", flip((body) => body.lastIndexOf("-> X25519") + 70), HEAD_ALTERED],
    ["no head", (body) => body.subarray(1), /does not begin as files of age do/],
    ["something else", () => randomBytes(5000), /does not begin as files of age do/],
  ])("a forged head, %s: known before anything is touched", async (_what, change, message) => {
    const bad = forged(change);
    const refused = { kind: "verification", message: expect.stringMatching(message) };
    await expect(open(bad.store, bad.manifest, mine)).rejects.toMatchObject(refused);
    const found = await verifyBackup(bad, { ...backupDeps(), ...known(mine) });
    expect(found).toMatchObject({ ok: false, problems: [refused.message] });
  });

  test.each([0, 1])(
    "a forged payload, file %i, with a manifest that fits: found by age on the machine, and here",
    async (at) => {
      const bad = forged(inPayload, at);
      const before = await databasesOf(cluster);
      const keys = await open(bad.store, bad.manifest, mine);
      await expect(restore(cluster, { ...bad, database: "summit", as: "forged", keys })).rejects.toMatchObject({
        kind: "verification",
        message: expect.stringContaining("cannot be decrypted"),
      });
      expect(await databasesOf(cluster)).toEqual(before);
      const found = await verifyBackup(bad, { ...backupDeps(), ...known(mine) });
      expect(found).toMatchObject({ ok: false, problems: [expect.stringContaining("cannot be decrypted")] });
    },
  );

  test("a payload that was altered, beside the true manifest: its hash says it first", async () => {
    const { store: copy } = forged(inPayload);
    const keys = await open(copy, manifest, mine);
    await expect(
      restore(cluster, { manifest, store: copy, database: "summit", as: "bad", keys }),
    ).rejects.toMatchObject({
      kind: "verification",
      message: expect.stringMatching(/part 1 of 1 .* is not what was stored/),
    });
  });

  test("a payload of another file behind this one's head is refused", async () => {
    const other = store.objects.get(memberKey(manifest, manifest.members[1] as Member))?.body as Buffer;
    const headLength = (body: Buffer) => body.indexOf("\n", body.indexOf("\n---") + 1) + 1;
    const bad = forged((body) =>
      Buffer.concat([body.subarray(0, headLength(body)), other.subarray(headLength(other))]),
    );
    const keys = await open(bad.store, bad.manifest, mine);
    await expect(restore(cluster, { ...bad, database: "summit", as: "bad", keys })).rejects.toMatchObject({
      kind: "verification",
    });
  });
});

test("without age on the machine no backup is begun, and it is said how to get it", async () => {
  await using cluster = await startPostgres();
  const store = memoryStore();
  const { shell, ...rest } = cluster.server(["postgres"]);
  const bare = {
    ...shell,
    run: (argv, options) =>
      argv.join(" ").includes("command -v age")
        ? Promise.resolve({ code: 127, signal: undefined, stdout: "", stderr: "" })
        : shell.run(argv, options),
  } satisfies typeof shell;
  const form = { ...DEFAULT_FORM, recipients: [generateIdentity().identity.recipient] };
  await expect(runBackup({ ...rest, shell: bare }, store, backupDeps(), { form })).rejects.toMatchObject({
    kind: "check",
    message: "postgresql/0 has no age",
    hint: "summitctl ssh postgresql/0 -- sudo apt-get install -y age",
  });
  expect(store.objects.size).toBe(0);
});

/** What every process shows of itself, to root even. */
function look(seen: { looks: number; age: number; found: string[] }): void {
  seen.looks += 1;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const file of ["cmdline", "environ"]) {
      let text = "";
      try {
        text = readFileSync(`/proc/${pid}/${file}`, "latin1");
      } catch {
        // It has ended meanwhile.
      }
      if (/^age\0--decrypt/.test(text)) seen.age += 1;
      if (text.includes("AGE-SECRET-KEY")) seen.found.push(`${pid} ${file}: ${text.slice(0, 200)}`);
    }
  }
}

import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_FORM } from "../../../src/backup/dump-form.ts";
import { openFiles } from "../../../src/backup/encryption/open-files.ts";
import type { Manifest, Member } from "../../../src/backup/manifest.ts";
import { PART_SIZE } from "../../../src/backup/manifest.ts";
import { memberKey } from "../../../src/backup/read-member.ts";
import { runBackup } from "../../../src/backup/run-backup.ts";
import { verifyBackup } from "../../../src/backup/verify-backup.ts";
import { generateIdentity } from "../../../src/core/age-keys.ts";
import { sha256 } from "../../../src/core/digest.ts";
import type { ObjectStore } from "../../../src/core/ports/store.ts";
import { s3Store } from "../../../src/providers/stores/s3.ts";
import { type FaultyHttp, startFaultyHttp } from "../../support/faulty-http.ts";
import { type PostgresCluster, startPostgres } from "../../support/postgres.ts";
import { type S3Server, type TestBucket, testBucket } from "../../support/s3-server.ts";
import { startSwift } from "../../support/swift.ts";
import { backupDeps, databasesOf, dumpText, restore } from "../backup-fixture.ts";

// Bytes that do not compress, so that the dump has two pieces.
const NOISE = `CREATE TABLE noise AS
  SELECT n, (SELECT string_agg(md5(random()::text || n || m), '') FROM generate_series(1, 30) AS m) AS text
  FROM generate_series(1, 40000) AS n`;

describe("an encrypted dump straight between the machine and the store", () => {
  const { identity } = generateIdentity();
  const identities = async () => [identity];
  const form = { ...DEFAULT_FORM, compression: "zstd" as const, level: 1, recipients: [identity.recipient] };
  let cluster: PostgresCluster;
  let server: S3Server;
  let faulty: FaultyHttp;
  let bucket: TestBucket;
  let store: ObjectStore;
  let manifest: Manifest;
  let dump: Member;

  beforeAll(async () => {
    [cluster, server] = await Promise.all([startPostgres(), startSwift()]);
    faulty = await startFaultyHttp(server.endpoint);
    bucket = await testBucket(server, faulty.endpoint);
    store = s3Store(bucket.settings);
    await cluster.sql("postgres", "CREATE DATABASE big");
    await cluster.sql("big", NOISE);
    const deps = backupDeps();
    manifest = await runBackup(cluster.server(["big"]), store, deps, { form });
    dump = manifest.members[0] as Member;
    expect(deps.out.tasks[0]?.text).toMatch(/^zstd, age, .*straight to the store$/);
  }, 120_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await faulty?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const object = async () => {
    const key = memberKey(manifest, dump);
    const target = {
      Bucket: bucket.settings.bucket,
      Key: (await bucket.names()).find((name) => name.endsWith(key)) ?? "",
    };
    const found = await bucket.client.send(new GetObjectCommand(target));
    return { target, body: Buffer.from((await found.Body?.transformToByteArray()) ?? []) };
  };

  test("comes back as it was, each piece fetched by the machine, the first with another head", async () => {
    expect(dump.stored.parts).toHaveLength(2);
    let pieces = 0;
    faulty.fault = ({ method, query }) => {
      if (method === "GET" && query.has("X-Amz-Signature")) pieces += 1;
      return undefined;
    };
    const keys = await openFiles({ manifest, store }, identities);
    await restore(cluster, { manifest, store, database: "big", as: "again", keys });
    faulty.fault = () => undefined;
    // The probe, and a request for each piece.
    expect(pieces).toBe(3);
    expect((await dumpText(cluster, "again")) === (await dumpText(cluster, "big"))).toBe(true);
    await cluster.sql("postgres", "DROP DATABASE again");
  });

  test("is verified here", async () => {
    expect(await verifyBackup({ manifest, store }, { ...backupDeps(), identities })).toMatchObject({ ok: true });
  });

  test.each([
    ["beside the true manifest: its hash says it", 500_000, false, /part 1 of 2/],
    ["with a manifest that fits: age says it", 500_000, true, /cannot be decrypted/],
    ["in the second piece, with a manifest that fits: age says it", PART_SIZE + 100, true, /cannot be decrypted/],
  ])("a byte that was altered in the store, %s", async (_what, at, fits, message) => {
    const { target, body } = await object();
    const altered = Buffer.from(body);
    altered[at] = (altered[at] ?? 0) ^ 1;
    await bucket.client.send(new PutObjectCommand({ ...target, Body: altered }));
    const before = await databasesOf(cluster);
    const forged = { ...dump.stored, sha256: sha256(altered), parts: piecesOf(altered) };
    const members = fits
      ? manifest.members.map((one) => (one === dump ? { ...dump, stored: forged } : one))
      : undefined;
    const read = { ...manifest, ...(members === undefined ? {} : { members: members as Manifest["members"] }) };
    const keys = await openFiles({ manifest: read, store }, identities);
    await expect(restore(cluster, { manifest: read, store, database: "big", as: "again", keys })).rejects.toMatchObject(
      { kind: "verification", message: expect.stringMatching(message) },
    );
    expect(await databasesOf(cluster)).toEqual(before);
    await bucket.client.send(new PutObjectCommand({ ...target, Body: body }));
  });
});

const piecesOf = (body: Buffer): string[] =>
  Array.from({ length: Math.ceil(body.length / PART_SIZE) }, (_, at) =>
    sha256(body.subarray(at * PART_SIZE, (at + 1) * PART_SIZE)),
  );

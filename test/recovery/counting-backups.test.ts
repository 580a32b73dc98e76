import { expect, test } from "vitest";
import type { Backup } from "../../src/backup/catalog.ts";
import { countingBackups, judgeBackups } from "../../src/recovery/counting-backups.ts";
import { backupAt, generation } from "./recovery-fixture.ts";

const FIRST = generation(1, "production", 0);
const SECOND = generation(2, "spare", 20);
const ids = (backups: readonly Backup[]) => backups.map(({ manifest }) => manifest.id);

test("the newest by the store's time is first, whatever the ids and the manifests' own clocks say", () => {
  const early = { ...backupAt(5), storedAt: backupAt(30).storedAt };
  const late = backupAt(10);
  expect(ids(countingBackups([late, early], [FIRST]))).toEqual([early.manifest.id, late.manifest.id]);
});

test("a backup that came back from the dead does not count: it was stored after its generation's successor", () => {
  const before = backupAt(19);
  const zombie = backupAt(21);
  expect(ids(countingBackups([zombie, before], [FIRST, SECOND]))).toEqual([before.manifest.id]);
});

test("a backup of the very moment of the commit still counts", () => {
  expect(countingBackups([backupAt(20)], [FIRST, SECOND])).toHaveLength(1);
});

test("backups of two generations stand beside each other, newest first", () => {
  const old = backupAt(19);
  const own = backupAt(25, { environment: "spare", generation: 2 });
  expect(ids(countingBackups([old, own], [FIRST, SECOND]))).toEqual([own.manifest.id, old.manifest.id]);
});

test.each([
  ["of an environment that was never live", { environment: "attic", generation: 0 }, /had never been live/],
  ["that claims the generation of another environment", { environment: "attic", generation: 1 }, /is of "production"/],
  ["of a generation that nobody committed", { generation: 7 }, /knows of no generation 7/],
])("a backup %s does not count, and it is said why", (_what, changes, why) => {
  const backup = backupAt(10, changes);
  expect(countingBackups([backup], [FIRST])).toEqual([]);
  expect(judgeBackups([backup], [FIRST])).toEqual([{ ...backup, notCounting: expect.stringMatching(why) }]);
});

test("why one that came back from the dead does not count", () => {
  expect(judgeBackups([backupAt(21), backupAt(19)], [FIRST, SECOND]).map(({ notCounting }) => notCounting)).toEqual([
    'stored after the failover to "spare"',
    undefined,
  ]);
});

test("after failing back, what the environment's earlier life stored too late still does not count", () => {
  const back = generation(3, "production", 40);
  const zombie = backupAt(30);
  const own = backupAt(45, { generation: 3 });
  expect(ids(countingBackups([zombie, own], [FIRST, SECOND, back]))).toEqual([own.manifest.id]);
});

test("a store's clock that ran ahead is not judged: what is stored last is newest", () => {
  expect(countingBackups([backupAt(59)], [FIRST])).toHaveLength(1);
});

test("equal times keep the order they came in, and nothing is lost", () => {
  const one = backupAt(10);
  const two = { ...backupAt(10, { id: "20261122T141000Z-bbbbbb" }) };
  expect(ids(countingBackups([one, two], [FIRST]))).toEqual([one.manifest.id, two.manifest.id]);
});

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { StoreConfig } from "../config/types.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Check } from "../core/ports/machines.ts";
import type { LastCapabilities, ObjectStore } from "../core/ports/store.ts";
import { ageText, durationText } from "../core/time.ts";
import { failedChecks } from "./examine.ts";

/** What a store has of a project; given by the caller, since this layer does not know backups. */
export type SummarizeBackups = (
  store: ObjectStore,
  project: string,
) => Promise<{
  readonly newest: { readonly id: string; readonly environment: string; readonly dataFrom: Date } | undefined;
  readonly broken: readonly string[];
}>;

interface StoreLook {
  /** Its place in summit.yaml; the first one holds state. */
  readonly index: number;
  readonly store: StoreConfig;
  readonly project: string;
}

/** Seconds that two clocks may differ before the age of a backup means little. */
const CLOCK_TOLERANCE = 60;

/** One line on what a store has and can do, and one for everything that is wrong with it. Writes no object. */
export async function storeChecks(
  { index, store: { url, required, s3 }, project }: StoreLook,
  backupSummary: SummarizeBackups,
  deps: Pick<Deps, "stores" | "now" | "signal">,
): Promise<readonly Check[]> {
  const name = `store ${url}`;
  const warning = (message: string, hint: string): Check => ({ name, ok: "warning", message, hint });
  try {
    const store = (await deps.stores())[index];
    if (store === undefined) throw new SummitError("unexpected", `there is no store number ${index + 1}`);
    const skew = (deps.now().getTime() - (await store.now()).getTime()) / 1000;
    const { newest, broken } = await backupSummary(store, project);
    const last = await store.lastCapabilities();
    const backups =
      newest === undefined
        ? "no backups yet"
        : `newest backup ${newest.id} of ${newest.environment}, data from ${ageText(newest.dataFrom, deps.now())}`;
    const reached = s3 === undefined ? "writable" : "readable";
    return [
      { name, ok: true, message: `${reached}, ${backups}; ${abilityWords(last, deps.now())}` },
      ...(Math.abs(skew) > CLOCK_TOLERANCE
        ? [warning(`its clock and this computer's differ by ${durationText(Math.abs(skew))}`, "timedatectl status")]
        : []),
      ...(broken.length > 0
        ? [warning(`backups that cannot be read: ${broken.join(", ")}`, "summitctl backups list")]
        : []),
      ...(index === 0 && last?.exclusiveCreate === false ? [warning(NOT_EXCLUSIVE, EXCLUSIVE_HINT)] : []),
    ];
  } catch (error) {
    deps.signal.throwIfAborted();
    return failedChecks(name, error).map((check) => (required ? check : { ...check, ok: "warning" }));
  }
}

const NOT_EXCLUSIVE =
  "it holds state and has no exclusive creation: two people who act at the same moment both succeed";
const EXCLUSIVE_HINT = "in summit.yaml, put a store first that has it, such as AWS S3 or a folder";

/** Writing is tried by the first command that writes, since doctor changes nothing. */
function abilityWords(last: LastCapabilities | undefined, now: Date): string {
  if (last === undefined) return "whether it takes objects, and how, is found out by the first backup";
  const sums = { crc32: "compares CRC-32 sums", md5: "compares MD5 sums", none: undefined }[last.checksum];
  const parts = last.maxParts === undefined ? undefined : `takes ${last.maxParts} parts`;
  const exclusive = last.exclusiveCreate ? "exclusive creation" : "no exclusive creation";
  const age = last.foundAt === undefined ? "" : ` (tried ${ageText(last.foundAt, now)})`;
  return [exclusive, sums, parts].filter(Boolean).join(", ") + age;
}

/** Stores that go down with what they are to save. */
export async function placeChecks(stores: readonly StoreConfig[]): Promise<readonly Check[]> {
  const here = await Promise.all(stores.map(isHere));
  if (here.includes(false)) return [];
  const message =
    "every store is on this computer, as the machines are: who loses it loses the environments and their backups";
  return [{ name: "stores", ok: "warning", message, hint: "in summit.yaml: stores: [s3://BUCKET/PREFIX, …]" }];
}

/** As far as can be known: a disk that is carried away every night looks like any other. */
async function isHere({ path, s3 }: StoreConfig): Promise<boolean> {
  if (s3 === undefined) return !(await isOnNetwork(path));
  if (s3.endpoint === undefined) return false;
  const { hostname } = new URL(s3.endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
}

/** NFS, SMB, CIFS, Ceph, 9P, and what runs in user space such as sshfs: numbers of statfs(2). */
const NETWORK: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x00c36400, 0x01021997, 0x65735546,
]);

async function isOnNetwork(folder: string): Promise<boolean> {
  for (let each = folder; ; each = dirname(each)) {
    const found = await statfs(each).catch(() => undefined);
    if (found !== undefined) return NETWORK.has(found.type);
    if (each === dirname(each)) return false;
  }
}

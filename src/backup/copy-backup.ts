import { addAbortSignal } from "node:stream";
import { finished } from "node:stream/promises";
import type { Deps } from "../core/deps.ts";
import { isSummitError, SummitError } from "../core/errors.ts";
import type { Task } from "../core/ports/output.ts";
import type { ObjectStore } from "../core/ports/store.ts";
import { manifestBytes } from "./catalog.ts";
import { claimBackup } from "./claim.ts";
import { copyStanding } from "./copy-standing.ts";
import type { StoredBackup } from "./feed-member.ts";
import { manifestKey } from "./keys.ts";
import { type Member, storedBytes } from "./manifest.ts";
import { checkSizes, memberKey, readMember } from "./read-member.ts";

type CopyDeps = Pick<Deps, "out" | "signal">;

export interface Copied {
  /** False: it was there already. */
  readonly isNew: boolean;
  /** Whether it is kept or released there now, which it was not before. */
  readonly isKeptAnew: boolean;
}

/**
 * Copies a backup into another store, each part checked on its way, sizes looked at again, and the manifest last, byte
 * for byte. Nothing is sent when it is there already; another backup under its id is an error of kind `verification`.
 * What a killed copy left there is checked, and replaced where it is not what it should be. That it is kept travels
 * with it, before the manifest. Rejects with kind `locked` while somebody else writes it there.
 */
export async function copyBackup(backup: StoredBackup, to: ObjectStore, deps: CopyDeps): Promise<Copied> {
  const task = deps.out.task(`copy ${backup.manifest.id} to ${to.url}`);
  try {
    const copied = await new Copy(backup, to, task, deps.signal).make();
    task.done(copied.isNew ? undefined : "it was there already");
    return copied;
  } catch (error) {
    task.fail();
    deps.signal.throwIfAborted();
    throw error;
  }
}

class Copy {
  readonly #backup: StoredBackup;
  readonly #to: ObjectStore;
  readonly #task: Task;
  readonly #signal: AbortSignal;
  /** Keys of what a failure removes, in that order. */
  readonly #made: string[] = [];
  /** Bytes of the files before the one that is under way. */
  #before = 0;

  constructor(backup: StoredBackup, to: ObjectStore, task: Task, signal: AbortSignal) {
    this.#backup = backup;
    this.#to = to;
    this.#task = task;
    this.#signal = signal;
  }

  async make(): Promise<Copied> {
    const { manifest, store } = this.#backup;
    const bytes = await manifestBytes(store, manifest);
    if (await this.#isThere(bytes)) return await this.#keepThere();
    await using _claim = await claimBackup(this.#to, manifest);
    // Whoever had it claimed may have put it there meanwhile.
    if (await this.#isThere(bytes)) return await this.#keepThere();
    try {
      for (const member of manifest.members) {
        await this.#copyMember(member);
        this.#before += member.stored.bytes;
      }
      await checkSizes(this.#to, manifest);
      const record = await copyStanding(store, this.#to, manifest);
      if (record !== undefined) this.#made.push(record);
      await this.#putManifest(bytes);
      return { isNew: true, isKeptAnew: record !== undefined };
    } catch (error) {
      await this.#removeMade();
      throw error;
    }
  }

  async #isThere(bytes: Buffer): Promise<boolean> {
    if ((await this.#to.head(manifestKey(this.#backup.manifest))) === undefined) return false;
    await checkSame(this.#backup, this.#to, bytes);
    return true;
  }

  async #keepThere(): Promise<Copied> {
    const { manifest, store } = this.#backup;
    return { isNew: false, isKeptAnew: (await copyStanding(store, this.#to, manifest)) !== undefined };
  }

  async #copyMember(member: Member): Promise<void> {
    const { manifest, store } = this.#backup;
    const key = memberKey(manifest, member);
    const there = await this.#to.head(key);
    if (there !== undefined) {
      if (there.size === member.stored.bytes && (await this.#isSound(member))) return;
      // There is no manifest, so it is a part of nothing.
      await this.#to.delete(key);
    }
    const total = storedBytes(manifest);
    const onBytes = (bytes: number): void => this.#task.progress({ bytes: this.#before + bytes, total });
    await this.#to.put(key, readMember(store, manifest, member, onBytes), this.#signal);
    this.#made.push(key);
  }

  async #isSound(member: Member): Promise<boolean> {
    try {
      const body = readMember(this.#to, this.#backup.manifest, member, () => undefined);
      await finished(addAbortSignal(this.#signal, body).resume());
      return true;
    } catch (error) {
      if (isSummitError(error) && error.kind === "verification") return false;
      throw error;
    }
  }

  async #putManifest(bytes: Buffer): Promise<void> {
    const key = manifestKey(this.#backup.manifest);
    // First of all, and also when only the answer was lost: a manifest whose files are gone would still be a backup.
    this.#made.unshift(key);
    try {
      await this.#to.put(key, bytes, this.#signal);
    } catch (error) {
      if (!isSummitError(error) || error.kind !== "check") throw error;
      // Somebody else has copied it meanwhile: what is there is theirs too.
      this.#made.length = 0;
      await checkSame(this.#backup, this.#to, bytes);
    }
  }

  /** Best effort: what stays without a manifest is no backup. */
  async #removeMade(): Promise<void> {
    try {
      for (const key of this.#made) await this.#to.delete(key);
    } catch {
      // The store that failed is likely to fail again; the failure itself says more.
    }
  }
}

/** Throws kind `verification` unless that store has this very backup, as far as its manifest and sizes tell. */
async function checkSame({ manifest, store }: StoredBackup, to: ObjectStore, bytes: Buffer): Promise<void> {
  if (!(await manifestBytes(to, manifest)).equals(bytes)) {
    throw new SummitError(
      "verification",
      `${to.url} has another backup under the id ${manifest.id}: its manifest differs from the one in ${store.url}`,
      {
        details: ["nothing was changed; one of the two was altered after it was stored"],
        hint: `summitctl backups show ${manifest.id}`,
      },
    );
  }
  await checkSizes(to, manifest);
}

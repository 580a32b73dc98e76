import { buffer } from "node:stream/consumers";
import type { AgeIdentity } from "../../core/age-keys.ts";
import { SummitError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports/store.ts";
import { Secret } from "../../core/secret.ts";
import type { Manifest, Member } from "../manifest.ts";
import { memberKey } from "../read-member.ts";
import { HEADER_LIMIT, headerIsSound, readHeader, unwrapFileKey } from "./age-header.ts";

/** Keys of one file each, by the file's name: what they open is nothing but that file. */
export type FileKeys = ReadonlyMap<string, FileKey>;

export interface FileKey {
  /** The head that the file has in the store. */
  readonly header: Buffer;
  /** 16 bytes, base64. */
  readonly key: Secret;
}

/** The operator's identities; may ask for a passphrase. */
export type GetIdentities = () => Promise<readonly AgeIdentity[]>;

/**
 * Opens the encrypted files of a backup with the operator's identities, which are asked for only when there are such
 * files, and reads no more than their heads. Throws kind `config` when there are no identities or none of them fits,
 * and kind `verification` when a head was altered.
 */
export async function openFiles(
  { manifest, store }: { readonly manifest: Manifest; readonly store: ObjectStore },
  identities: GetIdentities | undefined,
): Promise<FileKeys> {
  const keys = new Map<string, FileKey>();
  const encrypted = manifest.members.filter(({ encryption }) => encryption !== undefined);
  if (encrypted.length === 0) return keys;
  if (identities === undefined) throw noIdentity(manifest.id);
  const known = await identities();
  for (const member of encrypted) keys.set(member.file, await openFile(member, { manifest, store, known }));
  return keys;
}

interface Opening {
  readonly manifest: Manifest;
  readonly store: ObjectStore;
  readonly known: readonly AgeIdentity[];
}

async function openFile(member: Member, { manifest, store, known }: Opening): Promise<FileKey> {
  const length = Math.min(HEADER_LIMIT, member.stored.bytes);
  const header = readHeader(await buffer(await store.get(memberKey(manifest, member), { offset: 0, length })));
  if (header === undefined) throw damagedHead(manifest, member, "it does not begin as files of age do");
  const key = unwrapFileKey(header, known);
  if (key === undefined) {
    const recipients = member.encryption?.recipients ?? [];
    // Of one of these there is an identity here, so it is the file that is wrong.
    if (known.some(({ recipient }) => recipients.includes(recipient)))
      throw damagedHead(manifest, member, "its head was altered");
    throw wrongIdentity(manifest, recipients, known);
  }
  if (!headerIsSound(header, key)) throw damagedHead(manifest, member, "its head was altered");
  // A copy, so that what came with it is not kept.
  return { header: Buffer.from(header.bytes), key: new Secret(key.toString("base64")) };
}

export const fileKeyBytes = ({ key }: FileKey): Buffer => Buffer.from(key.reveal(), "base64");

/** The key of a member; undefined when it is not encrypted. Throws when it is and was not opened. */
export function keyOf(keys: FileKeys | undefined, { file, encryption }: Member): FileKey | undefined {
  if (encryption === undefined) return undefined;
  const key = keys?.get(file);
  if (key === undefined) throw new SummitError("unexpected", `${file} is encrypted and was not opened`);
  return key;
}

const IDENTITY_HINT = "in summit.yaml: backup: { encrypt: { identity: { file: ~/.config/summitctl/age-key.txt } } }";

const noIdentity = (id: string): SummitError =>
  new SummitError("config", `the backup ${id} is encrypted, and summit.yaml does not say where an identity is`, {
    hint: IDENTITY_HINT,
  });

const wrongIdentity = ({ id }: Manifest, recipients: readonly string[], known: readonly AgeIdentity[]): SummitError =>
  new SummitError("config", `the backup ${id} is encrypted, and the identity of summit.yaml does not open it`, {
    details: [
      ...recipients.map((recipient) => `it is for ${recipient}`),
      ...known.map(({ recipient }) => `the identity is of ${recipient}`),
    ],
    hint: IDENTITY_HINT,
  });

const damagedHead = ({ id }: Manifest, { file }: Member, how: string): SummitError =>
  new SummitError("verification", `the backup ${id} is damaged: ${file} cannot be decrypted, ${how}`, {
    hint: "summitctl backups list    # and restore an older one",
  });

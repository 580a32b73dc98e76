import { createHash } from "node:crypto";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";
import type { ShellTarget } from "../../core/ports/shell.ts";

const ALGORITHMS: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

export interface PinnedKey {
  /** `ssh-ed25519 AAAA…` without a comment. */
  readonly line: string;
  readonly type: string;
  readonly blob: Buffer;
}

/** Throws kind `config` for a line that is no public key of a type that can be a host key here. */
export function parsePinnedKey(text: string): PinnedKey {
  const [type = "", base64 = ""] = text.trim().split(/\s+/);
  const blob = Buffer.from(base64, "base64");
  if (ALGORITHMS[type] === undefined || keyType(blob) !== type) {
    throw new SummitError("config", `expected a pinned host key such as "ssh-ed25519 AAAA…", got ${show(text)}`);
  }
  return { line: keyLine(blob), type, blob };
}

/** What may be negotiated, so that the machine proves a pinned key and not another of its keys. */
export const hostKeyAlgorithms = (pins: readonly PinnedKey[]): ServerHostKeyAlgorithm[] => [
  ...new Set(pins.flatMap(({ type }) => ALGORITHMS[type] ?? [])),
];

/** `ssh-ed25519 AAAA…` of a key in wire form. */
export const keyLine = (blob: Buffer): string => `${keyType(blob)} ${blob.toString("base64")}`;

/** As `ssh-keygen -l` prints it: `SHA256:` and base64 without padding. */
export const fingerprint = (blob: Buffer): string =>
  `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;

export function hostKeyMismatch(target: ShellTarget, pins: readonly PinnedKey[], proved: Buffer): SummitError {
  const expected = pins.map((pin) => `${pin.type} ${fingerprint(pin.blob)}`).join(" or ");
  return new SummitError(
    "remote",
    `${target.name} proved another host key than the pinned one: expected ${expected}, got ${keyType(proved)} ${fingerprint(proved)}`,
    {
      hint: "summitctl status",
      details: [
        `nothing was sent to ${target.endpoint.host} port ${target.endpoint.port}`,
        "either the machine was replaced or reinstalled without summitctl, or something else answers at its address",
      ],
    },
  );
}

/** The type that a key in wire form names, or `` when it is none. */
function keyType(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return length > 0 && length <= 64 && blob.length > 4 + length ? blob.toString("latin1", 4, 4 + length) : "";
}

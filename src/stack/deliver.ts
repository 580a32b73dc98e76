import { quote } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import type { Shell } from "../core/ports/shell.ts";
import type { Tree } from "../core/ports/tree.ts";
import { Secret } from "../core/secret.ts";
import { REMOTE, SECRETS_FOLDER } from "./hook-environment.ts";

/**
 * Unpacks a tree into a folder of the machine unless that folder has this very revision. The folder appears whole:
 * it is unpacked beside its place and renamed.
 */
export async function deliverTree(shell: Shell, tree: Tree, folder: string, signal: AbortSignal): Promise<boolean> {
  const marker = `${folder}.revision`;
  const known = await shell.run(["cat", marker], { signal, timeout: 60 });
  if (known.code === 0 && known.stdout.trim() === tree.revision) return false;
  const script = `set -eu; f=$1; rm -rf "$f.new" "$f.old"; mkdir -p "$f.new"; tar -x -C "$f.new" --no-same-owner
rm -f "$f.revision"; if [ -e "$f" ]; then mv "$f" "$f.old"; fi; mv "$f.new" "$f"; rm -rf "$f.old"; printf '%s\\n' "$2" >"$f.revision"`;
  const result = await shell.run(["sh", "-c", script, "sh", folder, tree.revision], {
    input: tree.archive(),
    signal,
    timeout: 900,
  });
  if (result.code === 0) return true;
  throw new SummitError("remote", `${folder} could not be delivered to the machine`, {
    details: result.stderr.trim().split("\n").slice(-5),
    hint: "is its disk full? summitctl ssh UNIT -- df -h",
  });
}

/** Writes secrets as 0600 files of root. Values go over stdin only. Returns the names of those that changed. */
export async function deliverSecrets(
  shell: Shell,
  secrets: ReadonlyMap<string, Secret>,
  signal: AbortSignal,
): Promise<string[]> {
  if (secrets.size === 0) return [];
  const lines = [...secrets].map(
    ([name, secret]) => `put ${quote(name)} ${quote(Buffer.from(secret.reveal()).toString("base64"))}`,
  );
  const script = `set -eu; ${SECRETS_FOLDER}; umask 077; cd ${REMOTE.secrets}
put() { printf %s "$2" | base64 -d >".$1.new"; if cmp -s ".$1.new" "$1"; then rm -f ".$1.new"; else mv -f ".$1.new" "$1"; echo "$1"; fi; }
${lines.join("\n")}
`;
  const result = await shell.run(["sh", "-s"], { input: script, signal, timeout: 60 });
  if (result.code === 0) return result.stdout.split("\n").filter(Boolean);
  // stderr of a shell can quote the script, and the script holds the secrets.
  throw new SummitError("remote", "the secrets could not be written on the machine", {
    hint: "is its disk full? summitctl ssh UNIT -- df -h",
  });
}

/** The password of a relation: made on the providing machine the first time, and never kept here. */
export async function relationSecret(shell: Shell, name: string, signal: AbortSignal): Promise<Secret> {
  const script = `set -eu; ${SECRETS_FOLDER}; umask 077; cd ${REMOTE.secrets}
if [ ! -s "$1" ]; then head -c 24 /dev/urandom | base64 | tr '+/' '-_' >".$1.new"; mv -f ".$1.new" "$1"; fi; cat "$1"`;
  const value = await shell.must(["sh", "-c", script, "sh", name], { signal, timeout: 60 });
  return new Secret(value.trim());
}

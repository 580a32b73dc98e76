import { createInterface } from "node:readline";
import { SummitError } from "../core/errors.ts";
import type { DatabaseServer } from "../core/ports/database-server.ts";
import { lastText } from "./last-text.ts";

/** A folder on the machine, for postgres alone, that is gone when it is disposed of. */
export interface ScratchFolder extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
}

/** The name holds the process id of its keeper, so that the next run can remove what a kill left. */
const FOLDER_PREFIX = "/tmp/summitctl-archive-";

/** Ends with its input, so it does not outlive the link either. */
const KEEPER = `set -u; umask 077
for old in ${FOLDER_PREFIX}*; do pid=\${old##*-}; [ -d "$old" ] && [ ! -d "/proc/$pid" ] && rm -rf "$old"; done
d=${FOLDER_PREFIX}$$; rm -rf "$d"; mkdir "$d" || exit 90
trap 'rm -rf "$d"' EXIT; trap 'exit 143' HUP INT TERM
echo "$d"
cat >/dev/null`;

/** Removes folders that were left behind, then makes one. Rejects with kind `remote` when there is no room for it. */
export async function openScratchFolder({ shell, unit }: DatabaseServer, signal: AbortSignal): Promise<ScratchFolder> {
  const keeper = await shell.open(["sh", "-c", KEEPER], { as: "postgres", signal });
  const messages = lastText(keeper.stderr, 4096);
  const exit = keeper.exit.catch(() => undefined);
  keeper.stdin.on("error", () => undefined);
  const lines = createInterface({ input: keeper.stdout });
  // After an abort the stream fails once more, when nobody iterates any longer.
  lines.on("error", () => undefined);
  const { value: path } = await lines[Symbol.asyncIterator]().next();
  if (typeof path === "string" && path.startsWith(FOLDER_PREFIX)) {
    return {
      path,
      async [Symbol.asyncDispose]() {
        keeper.stdin.end();
        await exit;
      },
    };
  }
  await exit;
  signal.throwIfAborted();
  throw new SummitError("remote", `${unit} could not make a folder in /tmp`, {
    details: messages().trim().split("\n").slice(-4),
    hint: `summitctl ssh ${unit} -- df -h /tmp`,
  });
}

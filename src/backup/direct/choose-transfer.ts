import type { DatabaseServer } from "../../core/ports/database-server.ts";
import type { DirectTransfer } from "../../core/ports/direct-transfer.ts";
import type { ObjectStore } from "../../core/ports/store.ts";
import { probeArgv } from "./fetch-program.ts";

/** Which way the bytes take: straight between machine and store, or through this computer, and then why. */
export type Transfer = { readonly direct: DirectTransfer } | { readonly relay: string };

/**
 * Straight if the store signs requests and the machine reaches it, which is tried by fetching an object that is not
 * there: a store's refusal is an answer.
 */
export async function chooseTransfer({ shell, unit }: DatabaseServer, store: ObjectStore): Promise<Transfer> {
  const { direct } = store;
  if (direct === undefined) return { relay: `${store.url} signs no requests` };
  const { url, headers } = await direct.signGet("_probe/reach");
  const asked = await shell.run(probeArgv(), {
    as: "postgres",
    input: `${JSON.stringify({ url: url.reveal(), headers })}\n`,
    timeout: 60,
  });
  if (asked.code !== 0) return { relay: `${unit} has no Python that could send` };
  const { answer } = JSON.parse(asked.stdout) as { answer: string };
  return /^(404|403)\b/.test(answer) ? { direct } : { relay: `${unit} does not reach ${store.url}: ${answer}` };
}

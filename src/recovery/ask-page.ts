import type { HttpGet } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import type { Shell } from "../core/ports/shell.ts";
import type { StackService } from "../stack/stack.ts";

/** What is asked of a front: its health and a page. */
export const entryPaths = ({ resolved }: StackService): { health: string; page: string } => ({
  health: typeof resolved["health_path"] === "string" ? resolved["health_path"] : "/",
  page: "/",
});

/** Asks the front from its own machine, before the address leads there. Throws kind `verification`. */
export async function askFromInside(shell: Shell, service: StackService, signal: AbortSignal): Promise<void> {
  const port = Number(service.resolved["http_port"] ?? 80);
  const { health, page } = entryPaths(service);
  for (const path of [health, page]) {
    const url = `http://127.0.0.1:${port}${path}`;
    const asked = await shell.run(["curl", "-sS", "-o", "/dev/null", "--max-time", "15", "-w", "%{http_code}", url], {
      signal,
      timeout: 30,
    });
    const status = Number(asked.stdout.trim());
    if (asked.code === 0 && status >= 200 && status < 400) continue;
    throw new SummitError(
      "verification",
      `${path} of the new environment answers ${status || asked.stderr.trim()}, expected 200`,
      { hint: "summitctl status" },
    );
  }
}

export interface OutsideDeps {
  readonly http: HttpGet;
  readonly signal: AbortSignal;
  /** How often a page is asked for, every quarter of a second: neighbours have to learn of the move. */
  readonly attempts?: number;
}

/** Asks at the project's address, as the world does. Returns the URL that answered. Throws kind `verification`. */
export async function askFromOutside(
  urls: readonly string[],
  service: StackService,
  deps: OutsideDeps,
): Promise<string> {
  const [first] = urls.filter((url) => url.startsWith("http://"));
  if (first === undefined)
    throw new SummitError("verification", "the project's address has no URL that can be asked from here", {
      hint: "summitctl status",
    });
  const { health, page } = entryPaths(service);
  for (const path of [health, page]) {
    const url = new URL(path, first).href;
    await untilGood(url, deps);
  }
  return first;
}

async function untilGood(url: string, { http, signal, attempts = 20 }: OutsideDeps): Promise<void> {
  let last = "";
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    signal.throwIfAborted();
    const answer = await http({ url, timeout: 5 }).catch((error: unknown) => error as Error);
    if (!(answer instanceof Error) && answer.status >= 200 && answer.status < 400) return;
    last = answer instanceof Error ? answer.message : `status ${answer.status}`;
    if (attempt < attempts) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new SummitError("verification", `${url} does not answer as it should: ${last}`, { hint: "summitctl status" });
}

import { randomUUID } from "node:crypto";
import type { NotifyConfig, SecretUrl } from "../config/schedule-types.ts";
import type { Deps } from "../core/deps.ts";
import { messageOf, SummitError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { runNotifyCommand } from "./notify-command.ts";

/** How something went that was to be told. */
export interface Outcome {
  /** `backup` */
  readonly job: string;
  readonly project: string;
  readonly environment: string;
  /** The exit code that it has: 0 is success. */
  readonly exit: number;
  readonly startedAt: string;
  readonly seconds: number;
  /** The last lines of what it said, oldest first. */
  readonly lines: readonly string[];
}

export interface WebhookBody extends Outcome {
  readonly schema: "summitctl.notification.v1";
  readonly status: "success" | "failure";
}

export type NotifyDeps = Pick<Deps, "post" | "secret" | "out">;

export interface Notifier {
  /** Tells the dead man's switch that it begins. Does not wait for the answer. */
  start(): void;
  /** Tells everybody who is to know. Resolves when they were told or time was up; never rejects. */
  end(outcome: Outcome): Promise<void>;
}

/** Seconds for one attempt, and how many. A backup must not wait long for somebody who does not answer. */
const TIMEOUT = 5;
const ATTEMPTS = 2;
const BODY_LIMIT = 10_000;

/** Speaks with those whom summit.yaml names under `notify`. What fails is a warning, without the URL. */
export function notifier(
  { ping, webhook, command, on }: NotifyConfig,
  deps: NotifyDeps,
  { timeout = TIMEOUT, rid = randomUUID() as string } = {},
): Notifier {
  let started: Promise<void> = Promise.resolve();
  const attempt = async (what: string, tell: () => Promise<void>): Promise<void> => {
    try {
      await tell();
    } catch (error) {
      deps.out.warn(`${what} could not be told: ${messageOf(error)}`);
    }
  };
  const post = async (to: SecretUrl, change: (url: URL) => void, message: { body: string; type: string }) => {
    const url = await urlOf(to, deps);
    change(url);
    for (let count = 1; ; count += 1) {
      const status = await deps.post({ url: new Secret(url.href), timeout, ...message }).catch((error: unknown) => {
        if (count === ATTEMPTS) throw error;
        return undefined;
      });
      if (status !== undefined && status < 300) return;
      // What was refused is refused again.
      if (status !== undefined && (status < 500 || count === ATTEMPTS))
        throw new SummitError("remote", `the answer was HTTP ${status}`);
    }
  };
  const sendPing = (suffix: string, body: string): Promise<void> =>
    ping === undefined
      ? Promise.resolve()
      : attempt("the ping", () => post(ping, (url) => pingUrl(url, suffix, rid), { body, type: "text/plain" }));
  return {
    start: () => {
      started = sendPing("start", "");
    },
    end: async (outcome) => {
      const text = outcomeText(outcome);
      const isToTell = on === "always" || outcome.exit !== 0;
      await Promise.all([
        // The switch takes the order of what arrives for the order of what happened.
        started.then(() => sendPing(String(outcome.exit), text)),
        isToTell && webhook !== undefined
          ? attempt("the webhook", () =>
              post(webhook, () => {}, { body: `${JSON.stringify(webhookBody(outcome))}\n`, type: "application/json" }),
            )
          : undefined,
        isToTell && command !== undefined
          ? attempt("the notify command", () => runNotifyCommand(command, outcome, text))
          : undefined,
      ]);
    },
  };
}

async function urlOf(to: SecretUrl, deps: NotifyDeps): Promise<URL> {
  const text = ("url" in to ? to.url : await deps.secret(to.secret)).reveal().trim();
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new SummitError("config", `the secret ${"secret" in to ? to.secret : ""} holds no http or https URL`);
  }
  return new URL(text);
}

/** `/start` or `/<exit status>` behind the path; `rid` pairs a start with its end. */
function pingUrl(url: URL, suffix: string, rid: string): void {
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${suffix}`;
  url.searchParams.set("rid", rid);
}

const webhookBody = (outcome: Outcome): WebhookBody => ({
  schema: "summitctl.notification.v1",
  status: outcome.exit === 0 ? "success" : "failure",
  ...outcome,
});

/** What people read: the first line says it all. */
export function outcomeText({ job, project, environment, exit, startedAt, seconds, lines }: Outcome): string {
  const how = exit === 0 ? "succeeded" : `FAILED with exit code ${exit}`;
  const first = `${job} of ${project}/${environment} ${how} after ${Math.round(seconds)} s, begun ${startedAt}`;
  const rest = lines.join("\n");
  return `${first}\n${rest.length > BODY_LIMIT ? `…${rest.slice(-BODY_LIMIT)}` : rest}\n`;
}

import type { HttpGet } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";

export interface DemoPages {
  /** Path of a conference's schedule. */
  readonly schedule: string;
  /** Its HTML, less what names the environment that answered. */
  readonly html: string;
}

/** The schedule of the first conference, past the cache. */
export async function fetchSchedule(url: string, http: HttpGet, schedule?: string): Promise<DemoPages> {
  const path = schedule ?? (await firstConference(url, http));
  return { schedule: path, html: steady(await fetchPage(new URL(path, url).href, http)) };
}

async function firstConference(url: string, http: HttpGet): Promise<string> {
  const front = await fetchPage(url, http);
  const main = front.slice(Math.max(0, front.indexOf("<main")));
  const path = /href="(\/[a-z0-9-]+\/)"/.exec(main.replaceAll('href="/static/', ""))?.[1];
  if (path === undefined)
    throw new SummitError("verification", `the front page at ${url} lists no conference`, { hint: `curl ${url}` });
  return path;
}

async function fetchPage(url: string, http: HttpGet): Promise<string> {
  const answer = await http({ url, timeout: 20, headers: { "cache-control": "no-cache" } });
  if (answer.status !== 200)
    throw new SummitError("verification", `${url} answers ${answer.status}, expected 200`, { hint: `curl -i ${url}` });
  return answer.body;
}

/** The footer says which environment and revision answered: it differs on purpose. */
const steady = (html: string): string =>
  html
    .split("\n")
    .filter((line) => !line.includes("data-volatile"))
    .join("\n");

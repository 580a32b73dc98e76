import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { show } from "../core/names.ts";

export type StoreUrl =
  | { readonly url: string; readonly path: string }
  | { readonly problem: string; readonly hint?: string };

/**
 * `file:///var/backups/summit` and the folder it means. Other schemes are refused, by name only: what follows
 * them may be a credential.
 */
export function parseStoreUrl(text: string, home: string = homedir()): StoreUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (text.startsWith("~/")) return { problem: "expected a URL, got a path", hint: homeHint(text, home) };
    return isAbsolute(text)
      ? { problem: "expected a URL, got a path", hint: `url: ${pathToFileURL(text).href}` }
      : { problem: "expected a URL such as file:///var/backups/summit" };
  }
  if (scheme !== "file") return { problem: `this version knows stores of the kind file:///…, not ${show(scheme)}` };
  const rest = text.slice("file:".length);
  if (rest.startsWith("//~")) return { problem: "a store's URL does not know ~", hint: homeHint(rest.slice(2), home) };
  if (!rest.startsWith("///"))
    return { problem: "expected an absolute path: three slashes after file:", hint: "url: file:///var/backups/summit" };
  if (/[?#]/.test(rest)) return { problem: "a ? or # in a store's URL is written as %3F or %23" };
  return absolute(text);
}

function absolute(text: string): StoreUrl {
  try {
    const url = new URL(text);
    const path = fileURLToPath(url).replace(/(.)\/+$/, "$1");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(path)) return { problem: "a store's path cannot hold control characters" };
    if (path === "/") return { problem: "a store cannot be the root folder" };
    if (/^\/~/.test(path)) return { problem: "a store's URL does not know ~", hint: "url: file:///var/backups/summit" };
    return { url: pathToFileURL(path).href, path };
  } catch {
    return { problem: `expected a URL such as file:///var/backups/summit, got ${show(text)}` };
  }
}

const homeHint = (text: string, home: string): string => `url: ${pathToFileURL(text.replace(/^~/, home)).href}`;

import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { show } from "../core/names.ts";

export type StoreUrl =
  | { readonly url: string; readonly path: string }
  | { readonly url: string; readonly bucket: string; readonly prefix: string }
  | { readonly problem: string; readonly hint?: string };

/**
 * `file:///var/backups/summit` and the folder it means, or `s3://bucket/prefix`. Other schemes are refused, by name
 * only: what follows them may be a credential.
 */
export function parseStoreUrl(text: string, home: string = homedir()): StoreUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (text.startsWith("~/")) return { problem: "expected a URL, got a path", hint: homeHint(text, home) };
    return isAbsolute(text)
      ? { problem: "expected a URL, got a path", hint: `url: ${pathToFileURL(text).href}` }
      : { problem: "expected a URL such as file:///var/backups/summit" };
  }
  if (scheme === "s3") return parseS3Url(text);
  if (scheme !== "file") return { problem: `expected a store of the kind s3://… or file:///…, got ${show(scheme)}` };
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

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const FOLDER = /^(?!\.)[A-Za-z0-9_.,=@+-]+$/;

/** What stands before an `@` is a credential, so that is not repeated. */
function parseS3Url(text: string): StoreUrl {
  const hint = "url: s3://example-backups/summit";
  const rest = /^s3:\/\/(.*)$/i.exec(text)?.[1];
  if (rest === undefined) return { problem: "expected two slashes after s3:", hint };
  const [bucket = "", ...folders] = rest.replace(/\/+$/, "").split("/");
  if (/[@:]/.test(bucket))
    return {
      problem: "a store's URL holds no credentials",
      hint: "profile: NAME    # of ~/.aws/config, or AWS_PROFILE",
    };
  if (/[?#%]/.test(rest)) return { problem: "a store's URL is a bucket and a prefix, without ?, # and %", hint };
  if (!BUCKET.test(bucket) || bucket.includes(".."))
    return {
      problem: `a bucket's name is 3 to 63 lower case letters, digits, dots and dashes, not ${show(bucket)}`,
      hint,
    };
  const wrong = folders.find((folder) => !FOLDER.test(folder));
  if (wrong !== undefined)
    return {
      problem: `a prefix is names of letters, digits and _.,=@+- with one slash between them, not ${show(wrong)}`,
      hint,
    };
  const prefix = folders.join("/");
  if (prefix.length > 400) return { problem: `a prefix has at most 400 characters, this one has ${prefix.length}` };
  return { url: `s3://${[bucket, ...folders].join("/")}`, bucket, prefix };
}

const homeHint = (text: string, home: string): string => `url: ${pathToFileURL(text.replace(/^~/, home)).href}`;

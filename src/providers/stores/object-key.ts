import { SummitError } from "../../core/errors.ts";
import { show } from "../../core/names.ts";

const KEY = /^(?!\.)[A-Za-z0-9_.,=@+-]+(\/(?!\.)[A-Za-z0-9_.,=@+-]+)*$/;

/** Whether every store can name an object like this; the keys of all stores are the same, so that any can be copied. */
export const isKey = (key: string): boolean => KEY.test(key) && key.length <= 1000;

/** Rejects with kind `usage` what cannot be a key of a store. */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw new SummitError("usage", `${show(key)} cannot be a key of a store`);
  return key;
}

/** A prefix is empty or a key and a slash. */
export function checkedPrefix(prefix: string): string {
  if (prefix !== "" && !prefix.endsWith("/"))
    throw new SummitError("unexpected", `a prefix ends in "/", not ${show(prefix)}`);
  if (prefix !== "") checkedKey(prefix.slice(0, -1));
  return prefix;
}

import type { YAMLError } from "yaml";

const WORDS: Partial<Record<YAMLError["code"], string>> = {
  TAB_AS_INDENT: "expected spaces as indentation, got a tab",
  MULTIPLE_DOCS: "expected one document, got a second one after ---",
  NON_STRING_KEY: "expected text as a key",
  TAG_RESOLVE_FAILED: "tags such as !!binary are not known here",
  BAD_INDENT: "the indentation does not match the lines above",
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " in one line; put the text in quotes if it is part of it',
};

const CONFLICT = /^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)/;

/** A syntax error in our words where we have some, else in the parser's own. */
export function syntaxWords(error: YAMLError, text: string): string {
  const start = text.lastIndexOf("\n", error.pos[0] - 1) + 1;
  if (CONFLICT.test(text.slice(start, start + 8))) return "a merge conflict that git left here";
  return WORDS[error.code] ?? `not YAML: ${lowerFirst(error.message.split("\n")[0] ?? "")}`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

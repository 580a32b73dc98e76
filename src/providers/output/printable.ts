// C0, DEL and C1 controls, line separators, and the marks that reorder text: what a remote side could use to move
// the cursor, set the window title or show something else than what is there.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line that is safe to print: every control character shows as `\n`, `\x1b` or `\u202e`. */
export const printableLine = (text: string): string => text.replace(UNSAFE, visible);

/** As `printableLine`, but line breaks and tabs stay. */
export const printable = (text: string): string =>
  text.replaceAll("\r\n", "\n").replace(UNSAFE, (char) => (char === "\n" || char === "\t" ? char : visible(char)));

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function visible(char: string): string {
  const named = NAMED[char];
  if (named !== undefined) return named;
  const code = char.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

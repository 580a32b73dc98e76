const KINDS: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
]);

/** What is wrong with a line of a `.pub` file, or undefined. The line itself is never repeated: it may be a private key. */
export function checkPublicKey(line: string): string | undefined {
  if (line.includes("PRIVATE KEY")) return "this is a private key; give the line of its .pub file, and change the key";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(line.trimEnd())) return "expected one line, as in a .pub file";
  const [kind = "", blob = ""] = line.trim().split(/ +/);
  if (!KINDS.has(kind))
    return "expected a public key line such as ssh-ed25519 AAAA… ann (options before the key are not allowed)";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return `expected the key in base64 after ${kind}`;
  const bytes = Buffer.from(blob, "base64");
  const length = bytes.length >= 4 ? bytes.readUInt32BE(0) : -1;
  const named = length > 0 ? bytes.subarray(4, 4 + length).toString("latin1") : "";
  if (named !== kind) return `the key after ${kind} is cut off or of another kind`;
  return bytes.length < 4 + length + 4 + 32 ? `the key after ${kind} is cut off` : undefined;
}

/** Kind and key without the comment: equal for the same key. */
export const publicKeyBody = (line: string): string => line.trim().split(/ +/).slice(0, 2).join(" ");

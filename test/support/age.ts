import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** The real age, in a temporary folder. */
export interface Age extends AsyncDisposable {
  /** A new key pair, as age-keygen writes it. */
  keygen(): Promise<{ readonly text: string; readonly recipient: string }>;
  encrypt(plain: Buffer, flags: readonly string[]): Promise<Buffer>;
  /** Rejects when age refuses it. */
  decrypt(stored: Buffer, identity: string): Promise<Buffer>;
}

export async function realAge(): Promise<Age> {
  const folder = await mkdtemp(join(tmpdir(), "summit-age-"));
  const run = async (program: string, args: readonly string[], input: Buffer | undefined) => {
    const done = await execa(program, args, {
      ...(input === undefined ? { stdin: "ignore" as const } : { input }),
      encoding: "buffer",
      // The last byte of what is encrypted may be that of a newline.
      stripFinalNewline: false,
      maxBuffer: 1e9,
    });
    return Buffer.from(done.stdout);
  };
  return {
    keygen: async () => {
      const text = (await run("age-keygen", [], undefined)).toString();
      return { text, recipient: /age1\w+/.exec(text)?.[0] as string };
    },
    encrypt: (plain, flags) => run("age", ["--encrypt", ...flags], plain),
    async decrypt(stored, identity) {
      const file = join(folder, "key");
      await writeFile(file, identity, { mode: 0o600 });
      return await run("age", ["--decrypt", "--identity", file], stored);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../core/digest.ts";
import type { ObjectMemory, Remembered } from "../../core/ports/object-memory.ts";

const FORM = "summitctl.object-memory.v1";

export interface MemoryBounds {
  /** Objects per scope; the newest are remembered. */
  readonly objects: number;
  /** Files, scopes and what killed writers left; those that were used last stay. */
  readonly files: number;
}

/**
 * Memory in a folder, a file per scope: a first line with form and hash, then JSON. A file that is not what its hash
 * says is ignored. Written beside and renamed, so two processes do not mix; the last one wins.
 */
export function fileMemory(folder: string, bounds: MemoryBounds = { objects: 250_000, files: 64 }): ObjectMemory {
  const fileOf = (scope: string): string => join(folder, `${sha256(scope).slice(0, 32)}.json`);

  return {
    async recall(scope) {
      try {
        const file = fileOf(scope);
        const found = parse(await readFile(file, "utf8"), scope);
        const now = new Date();
        await utimes(file, now, now);
        return found;
      } catch {
        return new Map();
      }
    },

    async keep(scope, values) {
      const file = fileOf(scope);
      const own = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(own, format(scope, newest(values, bounds.objects)), { flag: "wx", mode: 0o600 });
        await rename(own, file);
        await removeOldest(folder, bounds.files);
      } catch {
        // It is read again the next time.
        await rm(own, { force: true }).catch(() => undefined);
      }
    },
  };
}

type Row = readonly [key: string, size: number, storedAt: number, value: unknown];

function newest(values: ReadonlyMap<string, Remembered>, most: number): Row[] {
  const rows = [...values].map(([key, { size, storedAt, value }]): Row => [key, size, storedAt, value]);
  return rows.length <= most ? rows : rows.sort((a, b) => b[2] - a[2]).slice(0, most);
}

function format(scope: string, rows: readonly Row[]): string {
  const body = JSON.stringify({ scope, rows });
  return `${FORM} ${sha256(body)}\n${body}`;
}

function parse(text: string, scope: string): Map<string, Remembered> {
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (text.slice(0, end) !== `${FORM} ${sha256(body)}`) return new Map();
  const found = JSON.parse(body) as { scope: string; rows: Row[] };
  if (found.scope !== scope) return new Map();
  return new Map(found.rows.map(([key, size, storedAt, value]) => [key, { size, storedAt, value }]));
}

async function removeOldest(folder: string, most: number): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= most) return;
  const files = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      return {
        file,
        used: await stat(file).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      };
    }),
  );
  files.sort((a, b) => b.used - a.used);
  for (const { file } of files.slice(most)) await rm(file, { force: true });
}

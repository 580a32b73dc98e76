import type { Readable } from "node:stream";

/** A folder of files at a known content: pack, app or theme. */
export interface Tree {
  /** sha256 over names, modes and contents, or the git commit. Equal digests mean equal files. */
  readonly revision: string;
  /** A tar stream with fixed times and owners; each call starts a new one. */
  archive(): Readable;
}

export type TreeSource = { readonly path: string } | { readonly git: string; readonly revision: string | undefined };

export interface TreeReader {
  /**
   * Rejects with kind `config` when the folder or the git revision does not exist. `.git`, editor backups,
   * `__pycache__` and the like are left out; links that lead outside the folder are refused.
   */
  read(source: TreeSource): Promise<Tree>;
}

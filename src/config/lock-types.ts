/** Every pin of a project: `summit.lock`. */
export interface Lock {
  readonly summitctl: { readonly version: string };
  /** Base images: provider, then architecture. */
  readonly images: PinTree<ImagePin>;
  /** apt packages: service, then package, to version. */
  readonly packages: PinTree<string>;
  /** Pack to digest. */
  readonly packs: Readonly<Record<string, string>>;
  /** Revisions of apps and themes: service, then option. */
  readonly sources: PinTree<string>;
  readonly postgresqlMajor: number | undefined;
}

export type PinTree<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;

export interface ImagePin {
  readonly name: string;
  /** sha256, with or without `sha256:` before it. */
  readonly digest: string;
}

/** What was found out so far; what is absent is not known and contradicts nothing. */
export interface LockFacts {
  readonly summitctl?: { readonly version: string };
  readonly images?: PinTree<ImagePin>;
  readonly packages?: PinTree<string>;
  readonly packs?: Readonly<Record<string, string>>;
  readonly sources?: PinTree<string>;
  readonly postgresqlMajor?: number | undefined;
}

/** A pin that does not hold. */
export interface LockProblem {
  /** `packages.postgresql.postgresql-15` */
  readonly path: string;
  readonly pinned: string;
  readonly found: string;
  /** `packages.postgresql.postgresql-15: pinned to 15.20-0+deb12u1, found 15.21-0+deb12u1` */
  readonly message: string;
}

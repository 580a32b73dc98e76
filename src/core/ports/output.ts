/** What a person sees of a result. The JSON form carries the same facts. */
export type Block =
  | { readonly text: string }
  | { readonly title: string }
  | { readonly pairs: readonly (readonly [string, string])[] }
  | { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

export type View = readonly Block[];

export interface Versioned {
  /** `summitctl.<thing>.v1` */
  readonly schema: string;
}

export interface Progress {
  /** Bytes done so far; rate and ETA are worked out from it. */
  readonly bytes?: number;
  readonly total?: number;
  readonly text?: string;
}

/** One line of progress. It ends by exactly one of `done` and `fail`; later calls are ignored. */
export interface Task {
  progress(progress: Progress): void;
  done(text?: string): void;
  fail(text?: string): void;
}

/** stdout is data, stderr is talk. With `--json`, stdout gets NDJSON events and last the one result object. */
export interface Output {
  /** The command's answer, exactly once. */
  result<T extends Versioned>(value: T, view: (value: T) => View): void;
  /** Something to look at before the result, such as a plan that is to be agreed to. Talk, not data. */
  show<T extends Versioned>(value: T, view: (value: T) => View): void;
  note(line: string): void;
  warn(line: string): void;
  /** Shown with -v only. */
  debug(line: string): void;
  task(title: string): Task;
}

/** Questions to the operator. Without a terminal each throws kind `usage` and names the flag that is missing. */
export interface Prompt {
  /** True when `--yes` was given or the operator agreed. */
  confirm(question: string): Promise<boolean>;
  /** True when the operator typed `name`, or gave it with `--confirm`. `--yes` is not enough. */
  typedName(question: string, name: string, given: string | undefined): Promise<boolean>;
}

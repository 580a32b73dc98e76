import { SummitError } from "../core/errors.ts";

/** Where a value stands: keys of mappings and indexes of lists, from the top of the file. */
export type Path = readonly (string | number)[];

/** The line (from 1) of the value at a path; of the closest mapping or list around it when it is absent. */
export type LineOf = (path: Path) => number;

/** What is wrong at a path, found by a check that knows neither the file nor its lines. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** One line that can be pasted, or a short instruction. */
  readonly hint?: string | undefined;
  /** Set when the place is known better than the path tells, as for syntax errors. */
  readonly line?: number | undefined;
}

/** What is wrong, where. */
export interface Problem {
  /** As shown: `summit.yaml`, `django/pack.yaml`. */
  readonly file: string;
  readonly line: number;
  /** `services.memcached.units`, `stores[0].url`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Findings with their lines, in the order of the file, each once. */
export function locate(findings: readonly Finding[], file: string, lineOf: LineOf): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const { path, message, hint, line } of findings) {
    const problem = { file, line: line ?? lineOf(path), path: pathText(path), message, hint };
    const text = problemText(problem);
    if (!problems.has(text)) problems.set(text, problem);
  }
  return [...problems.values()].sort((a, b) => a.line - b.line);
}

/** All problems as one error of kind `config`; `what` is the file or thing that has them. */
export function problemsError(what: string, problems: readonly Problem[]): SummitError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new SummitError("config", `${what} has ${count}`, {
    details: problems.map(problemText),
    hint:
      problems.find(({ hint }) => hint !== undefined)?.hint ??
      `edit ${problems[0]?.file ?? what}, then: summitctl doctor`,
  });
}

/** `summit.yaml:12: services.memcached.optoins: unknown key` */
export const problemText = ({ file, line, path, message }: Problem): string =>
  `${file}:${line}: ${path === "" ? "" : `${path}: `}${message}`;

/** `stores[0].url`; keys that are not plain words are quoted and bounded. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      const text = /^[\w-]{1,60}$/.test(step)
        ? step
        : JSON.stringify(step.length > 60 ? `${step.slice(0, 60)}…` : step);
      return index === 0 ? text : `.${text}`;
    })
    .join("");
}

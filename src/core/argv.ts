import { SummitError } from "./errors.ts";

/** A command as a value: program and arguments. Only this file turns it into shell text. */
export type Argv = readonly [string, ...string[]];

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word of POSIX shell text. NUL cannot be part of any argument and is refused. */
export function quote(word: string): string {
  if (word.includes("\0")) throw new SummitError("usage", "an argument holds a NUL byte");
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** `["ls", "a b"]` becomes `ls 'a b'`. */
export const toShell = (argv: Argv): string => {
  // A first word such as `A=b` would be read as an assignment, not as a program.
  const [program, ...rest] = argv;
  const head = PLAIN.test(program) && program.includes("=") ? `'${program}'` : quote(program);
  return [head, ...rest.map(quote)].join(" ");
};

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `export A='b c'` lines for a script that is sent over stdin, so that values never show in a process list. */
export function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      if (!VARIABLE.test(name)) throw new SummitError("usage", `"${name}" is not a variable name`);
      return `export ${name}=${quote(value)}\n`;
    })
    .join("");
}

import { randomBytes } from "node:crypto";
import { type Argv, toShell } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";
import { defineMeter, type MeterKind } from "./meter.ts";

/**
 * A pipe does not tell whether its members succeeded, and the shell's exit status is that of the last one. Here
 * every process runs by itself between named pipes, its exit status is collected, and what flows at both ends is
 * counted and hashed where it arises. The report is one line at the end of stderr, marked with a nonce so that no
 * program's message can be taken for it.
 */
export interface Pipeline {
  /** Programs in order; the first reads standard input of the whole, the last writes its standard output. */
  readonly stages: readonly Stage[];
  /** Unguessable, from the caller. */
  readonly nonce: string;
  /**
   * Programs that move the bytes themselves and only talk on standard input and output: a fetcher writes the first
   * stage's input to file descriptor 5; a sender reads the last one's output from 5 and measures it, to 6.
   */
  readonly fetcher?: Argv;
  readonly sender?: Argv;
  /** Between which stage and the next one the inner measure is taken, counted from 0. Default: 0. */
  readonly innerAfter?: number;
  /**
   * The first line of standard input is a secret. The first stage finds it in the file that is its last argument: a
   * named pipe, so it is never on a disk, in an argument or in an environment.
   */
  readonly keyed?: boolean;
}

export interface Stage {
  /** What reports and messages call it: `pg_dump`. */
  readonly name: string;
  readonly argv: Argv;
}

export interface Measure {
  readonly bytes: number;
  readonly sha256: string;
}

export interface PipelineReport {
  readonly statuses: Readonly<Record<string, number>>;
  /** Of what flowed between two of the stages: between the first and the second, where nothing else is asked for. */
  readonly inner: Measure;
  /** The last 600 bytes of it, base64: where SQL dumps have their trailer. */
  readonly innerTail: string;
  /** Of what the last stage wrote. */
  readonly outer: Measure;
}

/** `read` takes no byte more than the line. A process of its own writes it, since that waits for the reader. */
const KEY_IN = `IFS= read -r key <&3 && [ -n "$key" ] || exit 95
mkfifo "$d/key" || exit 90
{ printf '%s\\n' "$key" >"$d/key"; } 3<&- 4>&- >/dev/null 2>&1 & k=$!
key=`;

/** A word that no program can have guessed. */
export const reportNonce = (): string => `summitctl-report-${randomBytes(12).toString("hex")}`;

/** Where the named pipes live. The name holds the process id, so that the next run can remove what a kill left. */
const FOLDER_PREFIX = "/tmp/summitctl-pipe-";

/**
 * POSIX sh text that runs two or more stages. Reports to stderr after the stages' own messages, which are cut to
 * their last 16 KiB so that a chatty program cannot fill the link.
 */
export function pipelineScript(line: Pipeline, meter?: MeterKind): string {
  const { stages, nonce, fetcher, sender, innerAfter = 0, keyed = false } = line;
  const last = stages.length - 1;
  if (last < 1) throw new SummitError("unexpected", "a measured pipeline has at least two stages");
  if (innerAfter >= last) throw new SummitError("unexpected", "the inner measure is taken between two stages");
  const indexes = [...stages.keys()];
  const firstInput = sender !== undefined ? "</dev/null" : fetcher !== undefined ? '<"$d/in"' : "<&3";
  const inputOf = (index: number) =>
    index === 0 ? firstInput : index === innerAfter + 1 ? '<"$d/mid"' : `<"$d/out${index - 1}"`;
  const argvOf = (argv: Argv, index: number) => `${toShell(argv)}${keyed && index === 0 ? ' "$d/key"' : ""}`;
  const output = fetcher === undefined ? ">&4" : ">/dev/null";
  const lines = [
    "set -u; umask 077",
    `for old in ${FOLDER_PREFIX}*; do pid=\${old##*-}; [ -d "$old" ] && [ ! -d "/proc/$pid" ] && rm -rf "$old"; done`,
    `d=${FOLDER_PREFIX}$$; rm -rf "$d"; mkdir "$d" || exit 90`,
    `trap 'rm -rf "$d"' EXIT; trap 'exit 143' HUP INT TERM`,
    defineMeter(meter),
    `mkfifo "$d/in" "$d/mid" ${indexes.map((index) => `"$d/out${index}"`).join(" ")} || exit 90`,
    "exec 3<&0 4>&1",
    keyed ? KEY_IN : "",
    fetcher === undefined ? "f=0" : `${toShell(fetcher)} <&3 >&4 5>"$d/in" 2>"$d/errf" & f=$!`,
    ...stages.map(
      ({ argv }, index) =>
        `${argvOf(argv, index)} ${inputOf(index)} >"$d/out${index}" 2>"$d/err${index}" & p${index}=$!`,
    ),
    `meter "$d/inner" <"$d/out${innerAfter}" >"$d/mid" 2>"$d/erri" & i=$!`,
    sender === undefined
      ? `meter "$d/outer" <"$d/out${last}" ${output} 2>"$d/erro"; o=$?`
      : `${toShell(sender)} <&3 >&4 5<"$d/out${last}" 6>"$d/outer" 2>"$d/erro"; o=$?`,
    ...indexes.map((index) => `wait "$p${index}"; s${index}=$?`),
    'wait "$i"; i=$?',
    // It still waits for a reader when the first stage did not get so far.
    keyed ? 'kill "$k" 2>/dev/null' : "",
    // Of a meter that was killed nothing is known.
    'measured() { if [ -s "$d/$1" ]; then cat "$d/$1"; else echo - - =; fi; }',
    fetcher === undefined ? "" : 'wait "$f"; f=$?',
    `for e in f ${indexes.map(String).join(" ")} i o; do [ ! -e "$d/err$e" ] || tail -c 16384 "$d/err$e" >&2; done`,
    `printf '\\n%s %s ${stages.map(() => "%s").join(" ")} %s %s %s %s %s %s %s %s\\n' ${[
      nonce,
      '"$f"',
      ...indexes.map((index) => `"$s${index}"`),
      '"$i" "$o" $(measured inner) $(measured outer)',
    ].join(" ")} >&2`,
  ];
  return lines.filter((line) => line !== "").join("\n");
}

/** The report and the stages' own messages. Undefined when the report is missing: the script did not reach its end. */
export function readReport(
  stderr: string,
  { stages, nonce, sender }: Pipeline,
): { report: PipelineReport; messages: string } | undefined {
  const at = stderr.lastIndexOf(`\n${nonce} `);
  if (at === -1) return undefined;
  const fields = stderr
    .slice(at + 1)
    .trim()
    .split(" ")
    .slice(1);
  if (fields.length !== stages.length + 9) return undefined;
  const [fetch = "", ...more] = fields;
  const statuses = Object.fromEntries(stages.map(({ name }, index) => [name, Number(more[index])]));
  const [inner = "", outer = "", innerBytes, innerSum = "", tail = "", outerBytes, outerSum = ""] = more.slice(
    stages.length,
  );
  return {
    messages: stderr.slice(0, at).trim(),
    report: {
      statuses: {
        ...statuses,
        "meter (inner)": Number(inner),
        [sender === undefined ? "meter (outer)" : "transfer"]: Number(outer),
        ...(fetch === "0" ? {} : { transfer: Number(fetch) }),
      },
      inner: { bytes: Number(innerBytes), sha256: innerSum },
      innerTail: tail.slice(1),
      outer: { bytes: Number(outerBytes), sha256: outerSum },
    },
  };
}

/** The processes that did not succeed, as `pg_dump ended with exit status 1`. Empty: all succeeded. */
export const failures = (report: PipelineReport): string[] =>
  Object.entries(report.statuses)
    .filter(([, status]) => status !== 0)
    .map(([name, status]) => `${name} ended with ${status > 128 ? `signal ${status - 128}` : `exit status ${status}`}`);

import { type Argv, toShell } from "../core/argv.ts";
import { SummitError } from "../core/errors.ts";

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
  /** Of what flowed between the first and the second stage. */
  readonly inner: Measure;
  /** The last 600 bytes of it, base64: where SQL dumps have their trailer. */
  readonly innerTail: string;
  /** Of what the last stage wrote. */
  readonly outer: Measure;
}

/** Where the named pipes live. The name holds the process id, so that the next run can remove what a kill left. */
const FOLDER_PREFIX = "/tmp/summitctl-pipe-";

/**
 * POSIX sh text that runs two or more stages. Reports to stderr after the stages' own messages, which are cut to
 * their last 16 KiB so that a chatty program cannot fill the link.
 */
export function pipelineScript({ stages, nonce }: Pipeline): string {
  const last = stages.length - 1;
  if (last < 1) throw new SummitError("unexpected", "a measured pipeline has at least two stages");
  const lines = [
    "set -u; umask 077",
    `for old in ${FOLDER_PREFIX}*; do pid=\${old##*-}; [ -d "$old" ] && [ ! -d "/proc/$pid" ] && rm -rf "$old"; done`,
    `d=${FOLDER_PREFIX}$$; rm -rf "$d"; mkdir "$d" || exit 90`,
    `trap 'rm -rf "$d"' EXIT; trap 'exit 143' HUP INT TERM`,
    `mkfifo ${[...stages.keys()].map((index) => `"$d/out${index}"`).join(" ")} "$d/mid" "$d/isum" "$d/icount" "$d/itail" "$d/osum" "$d/ocount" || exit 90`,
    "exec 3<&0",
    ...measureLines("i"),
    'tail -c 600 <"$d/itail" | base64 -w0 >"$d/itail.txt" & m3=$!',
    ...measureLines("o"),
    ...stages.map(({ argv }, index) => {
      const input = index === 0 ? "<&3" : index === 1 ? '<"$d/mid"' : `<"$d/out${index - 1}"`;
      return `${toShell(argv)} ${input} >"$d/out${index}" 2>"$d/err${index}" & p${index}=$!`;
    }),
    'tee "$d/isum" "$d/icount" "$d/itail" <"$d/out0" >"$d/mid" & t1=$!',
    `tee "$d/osum" "$d/ocount" <"$d/out${last}"; t2=$?`,
    ...[...stages.keys()].map((index) => `wait "$p${index}"; s${index}=$?`),
    'wait "$t1"; t1=$?; wait "$i1" "$i2" "$m3" "$o1" "$o2"',
    ...[...stages.keys()].map((index) => `tail -c 16384 "$d/err${index}" >&2`),
    `printf '\\n%s ${stages.map(() => "%s").join(" ")} %s %s %s %s %s %s %s\\n' ${[
      nonce,
      ...[...stages.keys()].map((index) => `"$s${index}"`),
      '"$t1" "$t2" "$(cat "$d/icount.txt")" "$(cut -c1-64 "$d/isum.txt")" "$(cat "$d/ocount.txt")" "$(cut -c1-64 "$d/osum.txt")" "=$(cat "$d/itail.txt")"',
    ].join(" ")} >&2`,
  ];
  return lines.join("\n");
}

const measureLines = (side: "i" | "o"): string[] => [
  `sha256sum <"$d/${side}sum" >"$d/${side}sum.txt" & ${side}1=$!`,
  `wc -c <"$d/${side}count" | tr -d ' ' >"$d/${side}count.txt" & ${side}2=$!`,
];

/** The report and the stages' own messages. Undefined when the report is missing: the script did not reach its end. */
export function readReport(
  stderr: string,
  { stages, nonce }: Pipeline,
): { report: PipelineReport; messages: string } | undefined {
  const at = stderr.lastIndexOf(`\n${nonce} `);
  if (at === -1) return undefined;
  const fields = stderr
    .slice(at + 1)
    .trim()
    .split(" ")
    .slice(1);
  if (fields.length !== stages.length + 7) return undefined;
  const statuses = Object.fromEntries(stages.map(({ name }, index) => [name, Number(fields[index])]));
  const [innerTee, outerTee, innerBytes, innerSum, outerBytes, outerSum, tail] = fields.slice(stages.length) as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    messages: stderr.slice(0, at).trim(),
    report: {
      statuses: { ...statuses, "tee (inner)": Number(innerTee), "tee (outer)": Number(outerTee) },
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

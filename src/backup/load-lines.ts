import type { Argv } from "../core/argv.ts";
import { pgRestoreArgv } from "./dump-line.ts";

/** What of an archive is kept on the machine: this much, and more until its table of contents is whole. Bytes. */
const FIRST_PIECE = 1024 * 1024;

/**
 * Keeps the beginning of what it reads in the file `$1`, until pg_restore finds a whole table of contents there, and
 * hands all of it on to the program that the other arguments are. Each of the two tells its own status.
 */
const KEEP = `set -u; umask 077
kept=$1; shift; : >"$kept" || exit 91
keep() {
  size=0 step=${FIRST_PIECE}
  while :; do
    head -c "$step" >>"$kept" || return 1
    now=$(wc -c <"$kept")
    [ "$now" -gt "$size" ] || return 0
    tail -c "+$((size + 1))" "$kept" || return 1
    ! pg_restore --list "$kept" >/dev/null 2>&1 || break
    size=$now step=$now
  done
  cat
}
{ keep; echo "$?" >"$kept.status"; } | "$@"; s=$?
[ "$s" -eq 0 ] || exit "$s"
[ "$(cat "$kept.status")" = 0 ] || { echo "the beginning of the archive could not be kept" >&2; exit 91; }`;

/**
 * Loads an archive from standard input up to its data, and keeps its beginning in the file `head`. No commit waits for
 * the disk: the rename at the end does, and with it all that was before it.
 */
export const loadDataArgv = (database: string, head: string): Argv => [
  ...(["sh", "-c", KEEP, "sh", head, "env", "PGOPTIONS=-c synchronous_commit=off"] as const),
  ...pgRestoreArgv(database),
  "--section=pre-data",
  "--section=data",
];

/**
 * `$1` is the most jobs that the server has connections for. They share a quarter of the free memory. The end of
 * standard input, as when the link is lost, ends pg_restore.
 */
const BUILD = `set -u
jobs=$(nproc) || jobs=1; [ "$jobs" -le "$1" ] || jobs=$1; shift
free=$(sed -n 's/^MemAvailable: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo)
work=$((\${free:-0} / 4 / jobs)); [ "$work" -le 1048576 ] || work=1048576; [ "$work" -ge 65536 ] || work=65536
export PGOPTIONS="-c synchronous_commit=off -c maintenance_work_mem=\${work}kB"
exec 3<&0
"$@" "--jobs=$jobs" </dev/null & p=$!
{ read -r _ <&3; kill "$p"; } >/dev/null 2>&1 & w=$!
wait "$p"; s=$?
kill "$w" 2>/dev/null
exit "$s"`;

/** Makes of the kept beginning what comes after the data: indexes, constraints, triggers. In up to `jobs` sessions. */
export const buildIndexesArgv = (database: string, head: string, jobs: number): Argv => [
  ...(["sh", "-c", BUILD, "sh", String(jobs)] as const),
  ...pgRestoreArgv(database),
  "--section=post-data",
  head,
];

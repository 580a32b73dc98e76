# shellcheck shell=sh
# Functions for the hooks of packs: `. "$SUMMIT_LIB"` is the first line of every hook.
# What they print is read by an operator. Nothing here prints a file's content, since it may be a secret.

# No globbing: options and package lists are split into words, and a star in one must stay a star.
set -euf
umask 022
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
HOME=${HOME:-/root}
# C.UTF-8 keeps sorting and messages the same everywhere and names readable.
LC_ALL=C.UTF-8
export PATH HOME LC_ALL
cd /

SUMMIT_SERVICE=${SUMMIT_SERVICE:-service}
SUMMIT_RUN=${SUMMIT_RUN:-/run/summitctl}
SUMMIT_RECORDS=${SUMMIT_RECORDS:-/var/lib/summitctl/packages}
SUMMIT_POLICY=${SUMMIT_POLICY:-/usr/sbin/policy-rc.d}
SUMMIT_APT_LOG=${SUMMIT_APT_LOG:-/var/log/summitctl-apt.log}
SUMMIT_APT_TRIES=${SUMMIT_APT_TRIES:-5}
SUMMIT_APT_PAUSE=${SUMMIT_APT_PAUSE:-3}

say() { printf '%s\n' "$*"; }

warn() { printf 'warning: %s\n' "$*" >&2; }

# die MESSAGE: ends the hook with exit 1.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# changed LINE: tells the operator of a change and records it.
changed() {
  say "$*"
  if [ -n "${SUMMIT_CHANGES:-}" ]; then printf '%s\n' "$*" >>"$SUMMIT_CHANGES"; fi
}

# --- What has to happen to a running service: markers that live until it happened or the machine restarts.

# mark restart|reload
mark() {
  mkdir -p "$SUMMIT_RUN"
  : >"$SUMMIT_RUN/$SUMMIT_SERVICE.$1"
}

needs_restart() { [ -e "$SUMMIT_RUN/$SUMMIT_SERVICE.restart" ]; }

needs_reload() { [ -e "$SUMMIT_RUN/$SUMMIT_SERVICE.reload" ]; }

clear_marks() { rm -f "$SUMMIT_RUN/$SUMMIT_SERVICE.restart" "$SUMMIT_RUN/$SUMMIT_SERVICE.reload"; }

# --- Files

# write_file PATH MODE OWNER [restart|reload|none]: content from standard input, replaced atomically and only when
# content, mode (octal) or owner (user or user:group) differ. A change is recorded and marks the service (restart).
# Feed it from a here-document or from a variable, not from a command: a pipe hides that the command failed.
write_file() {
  [ ! -d "$1" ] || die "$1 is a folder, expected a file"
  case $3 in *:*) wf_format=%U:%G ;; *) wf_format=%U ;; esac
  wf_temp=$(mktemp "${1%/*}/.summitctl.XXXXXXXX") || die "cannot write into ${1%/*}"
  if ! cat >"$wf_temp" || ! chown "$3" "$wf_temp" || ! chmod "$2" "$wf_temp"; then
    rm -f "$wf_temp"
    die "cannot write $1"
  fi
  if [ -f "$1" ] && [ ! -L "$1" ] && cmp -s "$wf_temp" "$1" &&
    [ "$(stat -c "%a $wf_format" "$1")" = "$(stat -c "%a $wf_format" "$wf_temp")" ]; then
    rm -f "$wf_temp"
    return 0
  fi
  mv -fT "$wf_temp" "$1"
  case ${4:-restart} in none) ;; *) mark "${4:-restart}" ;; esac
  changed "wrote $1"
}

# make_folder PATH MODE OWNER
make_folder() {
  if [ ! -d "$1" ]; then
    mkdir -p "$1"
    changed "created $1"
  fi
  chown "$3" "$1"
  chmod "$2" "$1"
}

# remove_file PATH [restart|reload|none]
remove_file() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    rm -f "$1"
    case ${2:-restart} in none) ;; *) mark "${2:-restart}" ;; esac
    changed "removed $1"
  fi
}

# --- Values

# matches VALUE PATTERN: an extended regular expression over the whole value, which must be one line.
matches() {
  case $1 in *'
'*) return 1 ;; esac
  printf '%s\n' "$1" | grep -Eqx -e "$2"
}

# each_client FUNCTION: calls FUNCTION service relation name addresses secret-file for every line of SUMMIT_CLIENTS.
each_client() {
  while IFS= read -r ec_line; do
    [ -n "$ec_line" ] || continue
    ec_rest=$ec_line
    take_field && ec_service=$ec_field
    take_field && ec_relation=$ec_field
    take_field && ec_name=$ec_field
    take_field && ec_addresses=$ec_field
    take_field
    "$1" "$ec_service" "$ec_relation" "$ec_name" "$ec_addresses" "$ec_field" </dev/null
  done <<EOF
${SUMMIT_CLIENTS:-}
EOF
}

# Fields are cut by hand, because `read` drops empty ones between tabs.
take_field() {
  ec_field=${ec_rest%%"	"*}
  case $ec_rest in *"	"*) ec_rest=${ec_rest#*"	"} ;; *) ec_rest= ;; esac
}

# wait_for SECONDS WHAT COMMAND...: tries the command ten times a second, at least once; dies when it never succeeded.
wait_for() {
  wf_deadline=$(($(date +%s) + $1))
  wf_what=$2
  wf_seconds=$1
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$wf_deadline" ] || die "$wf_what: not within $wf_seconds s"
    sleep 0.1
  done
}

# --- Units of systemd

# ensure_running UNIT [--no-block]: enabled, running, and restarted or reloaded when a change asked for it. With
# --no-block a start is only requested: the caller waits for what matters.
ensure_running() {
  if ! is_enabled "$1"; then
    # Reading all units anew takes half a second and is needed only after a unit file changed.
    systemctl enable --no-reload --quiet "$1" 2>/dev/null || die "cannot enable $1"
    changed "enabled $1"
  fi
  if ! is_up "$1"; then
    systemctl reset-failed "$1" 2>/dev/null || true
    act_on "$1" started start "$@"
  elif needs_restart; then
    act_on "$1" restarted restart "$1"
  elif needs_reload; then
    act_on "$1" reloaded reload "$1"
  fi
  clear_marks
}

# act_on UNIT DONE VERB...: with the end of the unit's journal when it fails.
act_on() {
  ao_unit=$1
  ao_done=$2
  shift 2
  # Its words count only when it fails: it also complains about what --no-reload left for later.
  if ! ao_words=$(systemctl "$@" 2>&1); then
    say "$ao_words" >&2
    show_journal "$ao_unit"
    die "systemctl $1 $ao_unit failed"
  fi
  changed "$ao_done $ao_unit"
}

# show_journal UNIT: its last lines, on standard error.
show_journal() { journalctl --no-pager --quiet --output=cat --lines=15 --unit="$1" >&2 || true; }

# ensure_stopped UNIT: stopped, and it stays so over a reboot. A unit that does not exist is stopped.
ensure_stopped() {
  if is_enabled "$1"; then
    systemctl disable --no-reload --quiet "$1" 2>/dev/null || die "cannot disable $1"
    changed "disabled $1"
  fi
  if is_up "$1"; then act_on "$1" stopped stop "$1"; fi
}

# By its words, since systemctl also succeeds for a unit that something generated.
is_enabled() { [ "$(systemctl is-enabled "$1" 2>/dev/null)" = enabled ]; }

# A unit between two attempts or with a job in the queue counts: it would come back after a stop that ignored it.
is_up() {
  case $(systemctl show --property=ActiveState,Job "$1" 2>/dev/null) in
    *Job=[1-9]* | *=active* | *=activating* | *=reloading* | *=deactivating*) return 0 ;;
    *) return 1 ;;
  esac
}

# --- Packages

# install_packages [UNIT...]: makes SUMMIT_PACKAGES so (`name` or `name=version`), installing only what is missing or
# has another version than the pin. Starts nothing. Units that came with it are disabled: `start` enables them.
install_packages() {
  ip_wanted=
  for ip_spec in ${SUMMIT_PACKAGES:-}; do
    matches "$ip_spec" '[a-z0-9][a-z0-9.+-]+(=[A-Za-z0-9.+:~-]+)?' || die "not a package: $ip_spec"
    ip_have=$(installed_version "${ip_spec%%=*}")
    case $ip_spec in
      *=*) [ "$ip_have" = "${ip_spec#*=}" ] || ip_wanted="$ip_wanted $ip_spec" ;;
      *) [ -n "$ip_have" ] || ip_wanted="$ip_wanted $ip_spec" ;;
    esac
  done
  if [ -n "$ip_wanted" ]; then
    ip_new=
    for ip_unit in "$@"; do unit_exists "$ip_unit" || ip_new="$ip_new $ip_unit"; done
    apt_install "$ip_wanted"
    for ip_spec in $ip_wanted; do
      changed "installed ${ip_spec%%=*} $(installed_version "${ip_spec%%=*}")"
    done
    for ip_unit in $ip_new; do systemctl disable --quiet "$ip_unit" 2>/dev/null || true; done
    # What runs may still be the old version.
    mark restart
  fi
  record_packages
}

# record_packages [NAME...]: writes name=version of all of SUMMIT_PACKAGES, and of what else matters (such as the server
# behind a metapackage), to where summitctl reads what to pin.
# shellcheck disable=SC2120 # hooks call it with names
record_packages() {
  rp_text=
  for rp_name in ${SUMMIT_PACKAGES:-} "$@"; do
    rp_name=${rp_name%%=*}
    rp_text="$rp_text$rp_name=$(installed_version "$rp_name")
"
  done
  mkdir -p "$SUMMIT_RECORDS"
  rp_text=$(printf '%s' "$rp_text" | sort -u)
  printf '%s\n' "$rp_text" | write_file "$SUMMIT_RECORDS/$SUMMIT_SERVICE" 644 root none >/dev/null
}

unit_exists() { [ -e "/usr/lib/systemd/system/$1.service" ] || [ -e "/lib/systemd/system/$1.service" ]; }

# installed_version NAME: empty when it is not installed.
installed_version() {
  # shellcheck disable=SC2016 # dpkg's own variables
  dpkg-query -W -f '${db:Status-Abbrev}${Version}\n' "$1" 2>/dev/null | sed -n 's/^.i *//p' | head -n 1
}

# apt_install SPECS: in a subshell of its own, so that the policy file goes away however it ends.
apt_install() (
  command -v apt-get >/dev/null || die "there is no apt-get here: expected Debian or Ubuntu"
  say "installing$1"
  mkdir -p "$SUMMIT_RUN"
  exec 9>"$SUMMIT_RUN/packages.lock"
  flock -w 600 9 || die "another hook has been installing packages for 10 minutes"
  refuse_starts
  export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1
  ai_try=1
  # shellcheck disable=SC2086 # a list
  missing_versions $1 || [ -n "${au_done:-}" ] || apt_update
  # shellcheck disable=SC2086 # a list
  missing_versions $1 || die "$(say_missing $1)"
  # shellcheck disable=SC2086 # a list
  until apt_get install -y --no-install-recommends --allow-downgrades \
    -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef $1; do
    [ "$ai_try" -lt "$SUMMIT_APT_TRIES" ] || fail_apt "apt-get install failed $ai_try times:$1"
    ai_try=$((ai_try + 1))
    sleep "$SUMMIT_APT_PAUSE"
    # An interrupted dpkg refuses everything else; stale lists name files that are gone from the mirror.
    dpkg --configure -a --force-confold >>"$SUMMIT_APT_LOG" 2>&1 9>&- || true
    apt_update
  done
)

# Maintainer scripts ask this file before they start or restart anything. One that is not ours stays as it is.
refuse_starts() {
  if [ -e "$SUMMIT_POLICY" ] && ! grep -q summitctl "$SUMMIT_POLICY"; then return 0; fi
  trap 'rm -f "$SUMMIT_POLICY"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  printf '#!/bin/sh\n# summitctl: nothing starts while packages are installed\nexit 101\n' >"$SUMMIT_POLICY"
  chmod 755 "$SUMMIT_POLICY"
}

# An archive that does not answer is no reason to give up: what is needed may be in another one.
apt_update() {
  au_try=1
  au_done=1
  until apt_get update -o APT::Update::Error-Mode=any -o Acquire::Retries=0; do
    if [ "$au_try" -ge "$SUMMIT_APT_TRIES" ]; then
      warn "apt-get update failed $au_try times: $(tail -n 1 "$SUMMIT_APT_LOG")"
      return 0
    fi
    au_try=$((au_try + 1))
    sleep "$SUMMIT_APT_PAUSE"
  done
}

apt_get() {
  apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" >>"$SUMMIT_APT_LOG" 2>&1 </dev/null 9>&-
}

fail_apt() {
  tail -n 15 "$SUMMIT_APT_LOG" >&2 || true
  die "$1"
}

# missing_versions SPEC...: succeeds when the archives have all of them; sets mv_missing to those they have not.
missing_versions() {
  mv_missing=
  for mv_spec in "$@"; do
    mv_known=$(known_versions "${mv_spec%%=*}")
    case "$mv_spec $mv_known " in
      *=*" ${mv_spec#*=} "*) ;;
      *=*) mv_missing="$mv_missing $mv_spec" ;;
      *) [ -n "$mv_known" ] || mv_missing="$mv_missing $mv_spec" ;;
    esac
  done
  [ -z "$mv_missing" ]
}

# Newest first, as apt lists them.
known_versions() {
  apt-cache madison "$1" 2>/dev/null | awk -F '|' '!seen[$2]++ { gsub(/ /, "", $2); printf "%s%s", sep, $2; sep = " " }'
}

say_missing() {
  missing_versions "$@" || true
  sm_text="not available:"
  for sm_spec in $mv_missing; do
    sm_known=$(known_versions "${sm_spec%%=*}")
    sm_text="$sm_text $sm_spec (the archives have ${sm_known:-no such package})"
  done
  say "$sm_text"
}

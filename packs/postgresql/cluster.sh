# shellcheck shell=sh
# Which cluster the hooks of this pack work on, and how they talk to it.
# shellcheck disable=SC2034 # the hooks use what is set here

cluster=main
port=${SUMMIT_OPTION_PORT:-5432}
sockets=/var/run/postgresql

# choose_version: sets `version` and the paths that follow from it. A cluster that exists decides; then the option;
# then the newest server that is installed.
choose_version() {
  existing=$(only_names /etc/postgresql "/$cluster/postgresql.conf")
  version=${SUMMIT_OPTION_MAJOR:-${existing:-$(only_names /usr/lib/postgresql /bin/postgres)}}
  [ -n "$version" ] || die "no PostgreSQL server is installed: run the install hook first"
  if [ -n "$existing" ] && [ "$existing" != "$version" ]; then
    die "the cluster on this machine is PostgreSQL $existing, the option major asks for $version: respawn the unit"
  fi
  [ -x "/usr/lib/postgresql/$version/bin/postgres" ] || die "PostgreSQL $version is not installed"
  settings=/etc/postgresql/$version/$cluster
  data=/var/lib/postgresql/$version/$cluster
  unit=postgresql@$version-$cluster
}

# only_names FOLDER PATH: the newest version in FOLDER that has PATH.
only_names() {
  [ -d "$1" ] || return 0
  find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | while IFS= read -r on_version; do
    if [ -e "$1/$on_version$2" ]; then say "$on_version"; fi
  done | tail -n 1
}

as_postgres() { runuser -u postgres -- "$@"; }

# The port of the running server, which is another than the wanted one while a change waits for a restart.
running_port() { sed -n 4p "$data/postmaster.pid" 2>/dev/null || true; }

# query [-v NAME=VALUE...]: SQL from standard input, as the superuser. Values reach it as psql variables, so that a
# hostile name stays a name; a verifier comes in the text and must not be logged.
query() {
  {
    say "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';"
    cat
  } | as_postgres env PGCONNECT_TIMEOUT=5 psql -X -q -A -t -v ON_ERROR_STOP=1 \
    -h "$sockets" -p "$(running_port)" -d postgres "$@"
}

accepts() { as_postgres "/usr/lib/postgresql/$version/bin/pg_isready" -q -t 3 -h "$sockets" -p "$(running_port)"; }

# check_name NAME: a role and database that a client may own.
check_name() {
  case $1 in
    '') die "a client asks for a database without a name" ;;
    postgres | template0 | template1 | pg_*) die "\"$1\" belongs to PostgreSQL itself: choose another database name" ;;
  esac
}

# A role has one password, and each service has its own.
refuse_shared_names() {
  shared=$(printf '%s\n' "${SUMMIT_CLIENTS:-}" |
    awk -F '\t' '$5 != "" && $5 != "-" { if ($3 in file && file[$3] != $5) { print $3; exit } file[$3] = $5 }')
  [ -z "$shared" ] || die "two services ask for the database \"$shared\": name a database of its own for each"
}

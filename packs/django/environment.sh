# shellcheck shell=sh
# The environment of the app. The file is read by systemd and by sh alike.
# shellcheck disable=SC2154 # set by service.sh and the configure hook

write_environment() {
  environment="# Managed by summitctl: set the options of the service instead."
  add PGHOST "$(joined "${SUMMIT_DATABASE_HOSTS:?the relation database is not bound}" '')"
  add PGPORT "$SUMMIT_DATABASE_PORT"
  add PGDATABASE "$SUMMIT_DATABASE_NAME"
  add PGUSER "$SUMMIT_DATABASE_NAME"
  add PGPASSFILE "$etc/secrets/pgpass"
  add MEMCACHED_SERVERS "$(joined "${SUMMIT_CACHE_HOSTS:-}" ":${SUMMIT_CACHE_PORT:-11211}")"
  add APP_SECRET_KEY_FILE "$etc/secrets/app_key"
  if [ -e "$etc/secrets/mail" ]; then add APP_MAIL_URL_FILE "$etc/secrets/mail"; fi
  add APP_THEME_DIR "$theme"
  add APP_STATIC_ROOT "$static"
  add APP_ALLOWED_HOSTS "$(joined "${SUMMIT_OPTION_ALLOWED_HOSTS:-}" '')"
  if [ "${SUMMIT_OPTION_DEBUG:-false}" = true ]; then add APP_DEBUG 1; else add APP_DEBUG 0; fi
  add APP_REVISION "$app_revision"
  add THEME_REVISION "$theme_revision"
  add SUMMIT_ENVIRONMENT "$SUMMIT_ENVIRONMENT"
  # Only behind a proxy of ours: anybody else could claim to have come by HTTPS.
  if [ -n "${SUMMIT_CLIENTS:-}" ]; then add APP_TRUSTED_PROXY 1; else add APP_TRUSTED_PROXY 0; fi
  add DJANGO_SETTINGS_MODULE "${SUMMIT_OPTION_SETTINGS:-}"
  # The sources belong to root.
  add PYTHONDONTWRITEBYTECODE 1
  add PYTHONUNBUFFERED 1
  for pair in ${SUMMIT_OPTION_ENVIRONMENT:-}; do add_option "$pair"; done
  write_file "$etc/environment" 640 "root:$user" <<EOF
$environment
EOF
}

# add NAME VALUE: nothing for an empty value, which many programs take for a set one.
add() {
  [ -n "$2" ] || return 0
  case $2 in *'
'*) die "$1: a value cannot hold a line break" ;; esac
  environment="$environment
$1=\"$(printf '%s' "$2" | sed 's/["\\$`]/\\&/g')\""
}

add_option() {
  matches "$1" '[A-Za-z_][A-Za-z0-9_]*=.*' || die "environment: expected NAME=value, got \"$1\""
  case "$environment" in
    *"
${1%%=*}="*) die "environment: ${1%%=*} is set by the pack" ;;
  esac
  add "${1%%=*}" "${1#*=}"
}

# joined LIST SUFFIX: space separated words become comma separated ones, each with the suffix.
joined() {
  text=
  for word in $1; do text="$text${text:+,}$word$2"; done
  printf '%s' "$text"
}

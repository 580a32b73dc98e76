# shellcheck shell=sh
# Where the service of this pack lives on a machine.
# shellcheck disable=SC2034 # the hooks use what is set here

unit=summitctl-$SUMMIT_SERVICE.service
etc=/etc/summitctl/services/$SUMMIT_SERVICE
state=/var/lib/summitctl-$SUMMIT_SERVICE
manage=/usr/local/sbin/manage-$SUMMIT_SERVICE
port=${SUMMIT_OPTION_PORT:-8000}
health_path=${SUMMIT_OPTION_HEALTH_PATH:-/health/}

# A user's name has at most 32 characters, a service's 40.
user=summitctl-$SUMMIT_SERVICE
if [ "${#user}" -gt 32 ]; then
  user=$(printf '%.23s-%.8s' "$user" "$(printf '%s' "$SUMMIT_SERVICE" | sha256sum)")
fi

matches "$health_path" '/[A-Za-z0-9._~/%?&=-]*' || die "health_path: expected a path such as /health/, got \"$health_path\""

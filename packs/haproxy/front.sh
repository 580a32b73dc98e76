# shellcheck shell=sh
# What the hooks of this pack agree on.
# shellcheck disable=SC2034 # the hooks use what is set here

folder=/etc/haproxy/summitctl
control=/run/haproxy/admin.sock
numbers=/run/haproxy/numbers.sock
http_port=${SUMMIT_OPTION_HTTP_PORT:-80}
https_port=${SUMMIT_OPTION_HTTPS_PORT:-443}
health_path=${SUMMIT_OPTION_HEALTH_PATH:-/health/}
retry_after=${SUMMIT_OPTION_RETRY_AFTER:-60}

matches "$health_path" '/[A-Za-z0-9._~/-]*' || die "health_path: expected a path such as /health/, got \"$health_path\""

# backends_up: prints "1 of 2", by the proxy's own checks; fails when it does not answer.
backends_up() {
  bu_table=$(curl -fsS --max-time 5 --unix-socket "$numbers" 'http://localhost/;csv') || return 1
  printf '%s\n' "$bu_table" | awk -F, '
    $1 == "app" && $2 != "BACKEND" { all++; if ($18 ~ /^UP|^no check/) up++ }
    END { printf "%d of %d", up, all }'
}

# shellcheck shell=sh
# The maintenance page, self-contained, since nothing behind the proxy can be asked for a style sheet.
# shellcheck disable=SC2154 # set by front.sh

# write_pages: sets `page`, the path without ending: .html for the proxy's own answers, .http with headers for what it
# answers when a backend fails in the middle. haproxy reads both when it loads its configuration.
write_pages() {
  title=$(escaped "${SUMMIT_OPTION_MAINTENANCE_TITLE:-Back soon}")
  words=$(escaped "${SUMMIT_OPTION_MAINTENANCE_TEXT:-Please try again in a few minutes.}")
  html="<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"refresh\" content=\"$retry_after\">
<title>$title</title>
<style>
:root { color-scheme: light dark; font: 18px/1.6 system-ui, sans-serif; }
body { min-height: 100vh; margin: 0; display: grid; place-content: center; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
p { margin: 0; opacity: .8; }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>$words</p>
</main>
</body>
</html>"
  page=$folder/maintenance
  write_file "$page.html" 644 root:root reload <<EOF
$html
EOF
  head=$(printf '%s\r\n' 'HTTP/1.1 503 Service Unavailable' 'Content-Type: text/html; charset=utf-8' \
    "Content-Length: $(($(printf '%s' "$html" | wc -c) + 1))" "Retry-After: $retry_after" 'Cache-Control: no-store' \
    'Connection: close' '')
  write_file "$page.http" 644 root:root reload <<EOF
$head
$html
EOF
}

escaped() { printf '%s' "$1" | tr '\n' ' ' | sed "s/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/\"/\&quot;/g"; }

"""probe.py PORT PATH [--any]: asks the app on this machine for its health and prints one line.

Exit 0 when it answers 200; with --any, when it answers at all.
"""

import http.client
import json
import sys
import time

LIMIT_SECONDS = 8
SHOWN = ("status", "revision", "theme_revision", "environment")


def main(port, path, accept_any=False):
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": "localhost", "User-Agent": "summitctl"})
        response = connection.getresponse()
        body = response.read(65536)
    except (OSError, http.client.HTTPException) as error:
        print(f"the app does not answer on port {port}: {error or type(error).__name__}")
        return 1
    milliseconds = round((time.monotonic() - begun) * 1000)
    print(f"the app answers {response.status} in {milliseconds} ms{words(body)}")
    return 0 if accept_any or response.status == 200 else 1


def words(body):
    try:
        report = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(report, dict):
        return ""
    parts = [f"{key} {short(report[key])}" for key in SHOWN if isinstance(report.get(key), str)]
    for name, check in report.items():
        if isinstance(check, dict) and "ok" in check:
            state = f"{check.get('ms')} ms" if check["ok"] else f"fails: {short(check.get('error'))}"
            parts.append(f"{name} {state}")
    return "".join(f"; {part}" for part in parts)


def short(value):
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= 40 else text[:12]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], "--any" in sys.argv))

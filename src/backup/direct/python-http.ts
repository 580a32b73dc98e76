/**
 * Python text that the programs of the direct path share: one signed request, tried once. `ask` raises `Refused` with
 * what the store said, or why it was not reached; the words are cut short and hold no URL.
 */
export const PYTHON_HTTP = `
import hashlib, http.client, json, re, socket, ssl, sys, threading, urllib.parse

class Refused(Exception): pass

# No trace: it might hold a URL.
def tell(kind, error, trace):
    sys.stderr.write("%s\\n" % (error if kind is Refused else " ".join([kind.__name__, getattr(error, "strerror", None) or ""])))
sys.excepthook = tell

def say(**fact):
    sys.stdout.write(json.dumps(fact) + "\\n")
    sys.stdout.flush()

def hear():
    line = sys.stdin.readline()
    if not line.endswith("\\n"): sys.exit(99)
    return json.loads(line)

def ask(method, request, body=None, limit=0):
    url = urllib.parse.urlsplit(request["url"])
    make = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = make(url.hostname, url.port, timeout=30)
    try:
        connection.request(method, url.path + "?" + url.query, body=body, headers=request["headers"])
        answer = connection.getresponse()
        content = answer.read(limit + 1 if 200 <= answer.status < 300 else 2000)
        if 200 <= answer.status < 300: return answer, content
        code = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", content)
        raise Refused("%d %s" % (answer.status, code.group(1).decode() if code else ""))
    except socket.timeout: raise Refused("no answer within 30 s")
    except (OSError, http.client.HTTPException) as error: raise Refused("%s %s" % (type(error).__name__, getattr(error, "strerror", None) or ""))
    finally: connection.close()
`;

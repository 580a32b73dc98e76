import type { Argv } from "../../core/argv.ts";
import { PYTHON_HTTP } from "./python-http.ts";

/**
 * The beginning of a restore on the machine: fetches an object straight from the store, piece by piece, by requests that
 * are signed here when they are needed, and hands a piece on to file descriptor 5 only after its hash was found right;
 * the first one then with another head, if it is encrypted. One piece is fetched while the one before is decoded. Talks in lines of JSON with `servePieces`.
 */
export const fetchArgv = (): Argv => ["python3", "-ISc", FETCH];

const FETCH = `${PYTHON_HTTP}
import base64, os

room, ready, pieces = threading.Semaphore(2), threading.Semaphore(0), []

def fetch(request):
    while True:
        try:
            _, content = ask("GET", request, limit=request["size"])
            if len(content) != request["size"]: raise Refused("%d bytes of %d came" % (len(content), request["size"]))
            return content
        except Refused as error:
            say(refused=str(error))
            request = hear()
            if "url" not in request: sys.exit(98)

def fetch_all():
    try:
        while True:
            room.acquire()
            say(want=True)
            request = hear()
            if "url" not in request: break
            content = fetch(request)
            if hashlib.sha256(content).hexdigest() != request["sha256"]:
                say(damaged=True)
                raise Refused("a piece is not what was stored")
            if "head" in request: content = base64.b64decode(request["head"]) + content[request["skip"]:]
            pieces.append(content)
            ready.release()
        pieces.append(None)
    except BaseException as error: pieces.append(error)
    ready.release()

threading.Thread(target=fetch_all, daemon=True).start()
while True:
    ready.acquire()
    content = pieces.pop(0)
    if content is None: break
    if isinstance(content, BaseException): raise content
    sent, view = 0, memoryview(content)
    while sent < len(view): sent += os.write(5, view[sent:sent + 1048576])
    del content, view
    room.release()
`;

/** Prints what the store answers to a signed GET, such as `404 NoSuchKey`, or why it is not reached. */
export const probeArgv = (): Argv => ["python3", "-ISc", PROBE];

const PROBE = `${PYTHON_HTTP}
try:
    answer, _ = ask("GET", hear())
    say(answer=str(answer.status))
except Refused as error: say(answer=str(error))
`;

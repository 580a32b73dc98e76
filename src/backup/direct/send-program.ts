import type { Argv } from "../../core/argv.ts";
import { PART_SIZE } from "../manifest.ts";
import { PYTHON_HTTP } from "./python-http.ts";

/**
 * The end of a dump on the machine: sends what it reads from file descriptor 5 straight to the store, in parts, by
 * requests that are signed here when a part is ready. Two parts at most are in memory. Talks in lines of JSON with
 * `sendDump`; what is a bearer token comes on standard input only. Writes to 6 what `meter` would write.
 */
export const sendArgv = (): Argv => ["python3", "-ISc", SEND, String(PART_SIZE)];

const SEND = `${PYTHON_HTTP}
import base64, os

data, piece_size = os.fdopen(5, "rb", buffering=0), int(sys.argv[1])
sizes = hear()["sizes"]
whole, piece, in_piece, count, pieces = hashlib.sha256(), hashlib.sha256(), 0, 0, []
room, ready, parts = threading.Semaphore(2), threading.Semaphore(0), []

def measure(chunk):
    global piece, in_piece, count
    whole.update(chunk)
    count += len(chunk)
    while len(chunk) > 0:
        head = chunk[:piece_size - in_piece]
        piece.update(head)
        in_piece += len(head)
        chunk = chunk[len(head):]
        if in_piece == piece_size:
            pieces.append(piece.hexdigest())
            piece, in_piece = hashlib.sha256(), 0

def read_part(size):
    part = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        got = data.readinto(part[filled:filled + 1048576])
        if not got: break
        measure(part[filled:filled + got])
        filled += got
    return part[:filled]

def read_all():
    number, failure = 0, None
    try:
        while True:
            room.acquire()
            number += 1
            size = next((size for last, size in sizes if number <= last), None)
            if size is None: raise Refused("more parts than the store takes")
            part = read_part(size)
            if len(part) > 0 or number == 1:
                parts.append((number, part))
                ready.release()
            if len(part) < size: break
            part = None
    except BaseException as error: failure = error
    parts.append((0, failure))
    ready.release()

threading.Thread(target=read_all, daemon=True).start()
while True:
    ready.acquire()
    number, part = parts.pop(0)
    if number == 0:
        if part is not None: raise part
        break
    say(part=number, size=len(part), md5=base64.b64encode(hashlib.md5(part).digest()).decode())
    while True:
        request = hear()
        try:
            answer, _ = ask("PUT", request, body=part)
            say(part=number, etag=answer.headers.get("ETag") or "")
            break
        except Refused as error: say(part=number, refused=str(error))
    del part
    room.release()
if in_piece > 0: pieces.append(piece.hexdigest())
say(pieces=pieces)
with os.fdopen(6, "w") as report: report.write("%d %s =" % (count, whole.hexdigest()))
`;

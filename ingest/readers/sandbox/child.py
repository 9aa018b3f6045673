"""The process that reads hostile files: `python -m ingest.readers.sandbox.child MEMORY_MB TIMEOUT_S PARENT_PID OCR OCR_SECONDS`.

Owns its own limits and the child's end of the protocol. A message is four bytes of length, big-endian, and JSON in UTF-8:
in comes `{path, filename}` or `{path, picture}`, with a `password` where one is known, out goes `{document}`, `{picture}` or
`{error}`; `{progress: [done, total]}` goes before it after each page that was recognised. Must not hold secrets and must not outlive its parent.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
import time
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ingest.readers.ocr.engines import engine_of
from ingest.readers.ocr.recognition import Ocr
from ingest.readers.registry import read_file
from rag.errors import DocentError, TooLargeError

MAX_MESSAGE = 1 << 30

FREE_CHARACTERS = 1_000_000
CHARACTERS_PER_BYTE = 100
"""A text beyond the first must be within the second of its file's size; deflate makes ordinary tables 5 to 30 times smaller."""


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message. Raises OSError when the other end is gone."""
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()


class Readable(Protocol):
    """What messages come from."""

    def read(self, count: int, /) -> bytes:
        """As many bytes, fewer at the end of the stream."""


def receive(stream: Readable) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream, also when it ends within a message."""
    header = stream.read(4)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    data = stream.read(length) if length <= MAX_MESSAGE else b""
    if len(data) < length or not data:
        return None
    message = json.loads(data)
    return message if isinstance(message, dict) else None


def main() -> None:
    """Serve files until standard input ends."""
    memory_mb, timeout_s, parent = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    ocr, ocr_seconds = sys.argv[4], float(sys.argv[5])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # From here on a stray print of a library lands in standard error, not in the protocol.
    os.dup2(2, 1)
    _limit_memory(memory_mb)
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    while (request := receive(requests)) is not None:
        _limit_cpu(timeout_s)

        def heard(done: int, total: int) -> None:
            send(replies, {"progress": [done, total]})
            _limit_cpu(timeout_s)

        engine = engine_of(ocr)
        send(replies, _answer(request, Ocr(seconds=ocr_seconds, engine=engine, heard=heard) if engine else None))


def _answer(request: dict[str, Any], ocr: Ocr | None) -> dict[str, Any]:
    try:
        if "picture" in request:
            return {"picture": _picture(request, ocr)}
        document = read_file(Path(request["path"]), request["filename"], ocr=ocr, password=request.get("password"))
        _refuse_bomb(len(document.text), Path(request["path"]).stat().st_size)
        return {"document": asdict(document)}
    except DocentError as error:
        kind = type(error).__name__
        return {"error": {"kind": kind, "code": error.code, "message": error.message, "details": error.details}}
    except MemoryError:
        return {"error": {"kind": "UnreadableError", "code": "reader_memory"}}
    except Exception as error:  # noqa: BLE001  # the outer rim: one bad file must not end the loop
        # The type alone: the message of a foreign error may quote the document.
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
        return {
            "error": {"kind": "UnreadableError", "code": "reader_failed", "cause": f"{type(error).__name__} {where}"}
        }


def _refuse_bomb(characters: int, size: int) -> None:
    """Raise TooLargeError for a text out of all proportion to its file: cutting and embedding it would take hours."""
    if characters > max(FREE_CHARACTERS, CHARACTERS_PER_BYTE * size):
        raise TooLargeError(
            f"The file of {size} bytes unpacks to {characters} characters, more than {CHARACTERS_PER_BYTE} for each of its bytes; "
            "repeated cells or text are likely. Save it without them, or split it."
        )


def _picture(request: dict[str, Any], ocr: Ocr | None) -> dict[str, Any]:
    from ingest.readers.registry import draw_page

    drawn = draw_page(Path(request["path"]), request["picture"], password=request.get("password"), ocr=ocr)
    return {"png": b64encode(drawn.png).decode("ascii"), "wanted": drawn.wanted, "found": drawn.found}


def _limit_memory(memory_mb: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the parent's clock remains
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = memory_mb << 20
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ValueError, OSError):  # macOS refuses RLIMIT_AS
        return


def _limit_cpu(timeout_s: float) -> None:
    """Let this process use `timeout_s` more seconds of processor time; the kernel ends it after that."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + timeout_s) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _die_with(parent: int) -> None:
    """End when the parent is gone, even in the middle of a file.

    Not PR_SET_PDEATHSIG: that fires when the *thread* that started this process ends.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main()

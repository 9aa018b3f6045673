"""Server-sent events: frames, pings, and an end when the client is gone.

The source runs in its own thread, so that a ping can be sent while it waits for the model; when the client hangs up the
source is closed, which stops the model.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response

from rag.errors import DocentError

PING_SECONDS = 10.0

Frame = tuple[str, dict[str, Any]]
log = logging.getLogger(__name__)


def stream(source: Iterator[Frame], describe: Callable[[DocentError], dict[str, Any]]) -> Response:
    """A response that sends (name, data) pairs as they come. `describe` makes the body of an `error` event."""
    response = Response(_frames(source, describe), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def frame(name: str, data: dict[str, Any]) -> str:
    """One event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _frames(source: Iterator[Frame], describe: Callable[[DocentError], dict[str, Any]]) -> Iterator[str]:
    pipe: queue.Queue[Frame | None] = queue.Queue()
    gone = threading.Event()

    def pump() -> None:
        try:
            for item in source:
                if gone.is_set():
                    break
                pipe.put(item)
        except DocentError as error:
            pipe.put(("error", describe(error)))
        except Exception as error:  # the rim: after the first byte there is no 500 to send
            log.exception("stream failed", exc_info=error)
            pipe.put(("error", describe(DocentError("Unexpected error. The server's log has the details."))))
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()
            pipe.put(None)

    threading.Thread(target=pump, name="sse", daemon=True).start()
    try:
        yield ": ok\n\n"
        while True:
            try:
                item = pipe.get(timeout=PING_SECONDS)
            except queue.Empty:
                yield ": ping\n\n"
                continue
            if item is None:
                return
            yield frame(*item)
    finally:
        gone.set()

"""Server-sent events: frames, pings, and an end when the client is gone or the server stops.

The source runs in its own thread, so that a ping can be sent while it waits for the model; when the client hangs up or
the server stops the source is closed, which stops the model.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, TypeVar

from flask import Response, request

from rag.abandonment import AbandonedError, watched
from rag.errors import DocentError
from rag.streams import stopped
from web.capacity import MOST_STREAMS, Places, busy
from web.presence import client_gone
from web.shutdown import StoppingError, told

PING = ": ping\n\n"
PING_SECONDS = 10.0

Frame = tuple[str, dict[str, Any]]
T = TypeVar("T")
log = logging.getLogger(__name__)
_streams = Places(MOST_STREAMS)  # of this process, as the threads are


def stream(source: Iterator[Frame], describe: Callable[[DocentError], dict[str, Any]]) -> Response:
    """A response that sends (name, data) pairs as they come. `describe` makes the body of an `error` event.

    Raises:
        UnavailableError: too many streams are open.
    """
    return raw(_frames(source, describe, client_gone(request.environ)))


def raw(frames: Iterator[str]) -> Response:
    """A response of ready frames. Raises as `stream`."""
    if not _streams.take():
        raise busy()
    response = Response(frames, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(weakref.finalize(response, _streams.give_back))
    return response


def frame(name: str, data: dict[str, Any]) -> str:
    """One event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _frames(
    source: Iterator[Frame], describe: Callable[[DocentError], dict[str, Any]], left: Callable[[], bool]
) -> Iterator[str]:
    yield ": ok\n\n"
    try:
        with closing(relay(source, left)) as items:
            for item in items:
                yield PING if item is None else frame(*item)
    except DocentError as error:
        yield frame("error", describe(error))


def relay(source: Iterator[T], left: Callable[[], bool]) -> Generator[T | None, None, None]:
    """The items of `source`, which runs in a thread of its own; None when it is time for a ping.

    `left()` tells whether the client has hung up, which stops a chat model also before there is anything to send.

    Raises:
        StoppingError: the server stops.
        DocentError: the source's own; what else it raises is logged and comes as one of these.
    """
    pipe: queue.Queue[tuple[T] | DocentError | None] = queue.Queue()
    gone = threading.Event()

    def pump() -> None:
        try:
            with stopped(source), watched(lambda: gone.is_set() or left()):
                for item in source:
                    if gone.is_set():
                        break
                    pipe.put((item,))
        except DocentError as error:
            pipe.put(error)
        except Exception as error:  # the rim: after the first byte there is no 500 to send
            log.exception("stream failed", exc_info=error)
            pipe.put(DocentError("Unexpected error. The server's log has the details."))
        finally:
            pipe.put(None)

    threading.Thread(target=pump, name="sse", daemon=True).start()
    try:
        with told(lambda: pipe.put(StoppingError())):
            while True:
                try:
                    found = pipe.get(timeout=PING_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if found is None:
                    return
                if isinstance(found, DocentError):
                    raise found
                yield found[0]
    finally:
        gone.set()


def last_of(source: Iterator[T]) -> T:
    """The last item of `source`, for a client that waits for the whole; it is broken off when the client of this
    request leaves.

    Raises:
        AbandonedError: the client is gone.
    """
    gone = client_gone(request.environ)
    with stopped(source), watched(gone):
        for item in source:
            last = item
            if gone():
                raise AbandonedError
    return last

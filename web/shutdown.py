"""The word that the server stops, for the streams that are running: each ends with a last event instead of being cut.

One word for the process, as one worker process serves. web/server.py gives it when the worker takes its signal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import UnavailableError

_lock = threading.Lock()
_begun = threading.Event()
_listeners: dict[object, Callable[[], None]] = {}


class StoppingError(UnavailableError):
    """The server stops, so the answer will not be finished."""

    code = "shutting_down"

    def __init__(self) -> None:
        super().__init__("The server is shutting down. Ask again once it is back.")


def begin() -> None:
    """Tell every listener, and all that come later. Not from a signal handler: it takes a lock."""
    with _lock:
        _begun.set()
        listeners = list(_listeners.values())
    for tell in listeners:
        tell()


@contextmanager
def told(tell: Callable[[], None]) -> Iterator[None]:
    """Within the block `tell()` is called, from another thread, when the server stops; at once if it is stopping."""
    key = object()
    with _lock:
        _listeners[key] = tell
        late = _begun.is_set()
    try:
        if late:
            tell()
        yield
    finally:
        with _lock:
            del _listeners[key]

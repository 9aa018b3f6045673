"""How many requests are worked on at once: fewer than there are threads, so that a sign of life can always be given.

A WSGI layer, since a request ends with its last byte, not with the view. More than `MOST` get 503 and are told to
come again.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rag.errors import UnavailableError

# Of the server's 48 threads: the others read first lines and answer these paths.
MOST = 36
# Event streams among these; each lasts as long as its client likes.
MOST_STREAMS = 28
ALWAYS = ("/healthz", "/readyz")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Places:
    """A number of places, taken and given back. Thread-safe."""

    def __init__(self, number: int) -> None:
        self._free = threading.Semaphore(number)

    def take(self) -> bool:
        """Take one, if there is any."""
        return self._free.acquire(blocking=False)

    def give_back(self) -> None:
        """Somebody has left."""
        self._free.release()


class Capacity:
    """The application, for at most `most` requests at once; `full` answers the others."""

    def __init__(self, application: Application, full: Application, *, most: int = MOST) -> None:
        self._application = application
        self._full = full
        self._places = Places(most)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See WSGI."""
        if environ.get("PATH_INFO") in ALWAYS:
            return self._application(environ, start_response)
        if not self._places.take():
            return self._full(environ, start_response)
        try:
            return _Held(self._application(environ, start_response), self._places)
        except BaseException:
            self._places.give_back()
            raise


class _Held:
    """A response that gives its place back once: when it has been read, when it is closed, or when it is forgotten."""

    def __init__(self, response: Iterable[bytes], places: Places) -> None:
        self._response = response
        self._leave = weakref.finalize(self, places.give_back)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response
        self._leave()

    def close(self) -> None:
        """The last byte has gone, or the client has."""
        try:
            if (close := getattr(self._response, "close", None)) is not None:
                close()
        finally:
            self._leave()


def busy() -> UnavailableError:
    """What is said to a request that finds no place."""
    return UnavailableError("Too much is asked at once. Try again in a few seconds.", code="too_many_requests")

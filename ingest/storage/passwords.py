"""Passwords of documents that need one: in this process's memory, and nowhere else.

They are never written to disk, logged or put on a command line, because people use one password in several places. They
are thus forgotten when the process ends: a document that was not read by then fails as `encrypted` and asks again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Passwords:
    """The password of each document, by its id. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def of(self, document_id: str) -> str | None:
        """The password to try, if one was given."""
        return self._known.get(document_id)

    def remember(self, ids: Iterable[str], password: str) -> None:
        """Try this password from now on."""
        with self._lock:
            self._known.update(dict.fromkeys(ids, password))

    def offer(self, document_id: str, password: str) -> None:
        """Try this password where none is known; one that is known has opened the file, or waits to be tried."""
        with self._lock:
            self._known.setdefault(document_id, password)

    def forget(self, document_id: str) -> None:
        """Drop the password, because the document is gone or the password is wrong."""
        with self._lock:
            self._known.pop(document_id, None)

    def __repr__(self) -> str:
        return f"Passwords({len(self._known)})"
